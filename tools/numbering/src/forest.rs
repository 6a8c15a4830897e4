//! Automata over digits, none of which loops: a label for every number, and for all that begins like it.
//!
//! Equal parts are kept once, so two automata that say the same of every number are the same node.

use std::collections::HashMap;

/// What is said of a number; [`NOTHING`] where nothing is.
pub(crate) type Label = u16;

pub(crate) const NOTHING: Label = 0;

/// An automaton, by its first node.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Node(u32);

/// Says nothing, whatever follows.
pub(crate) const NEVER: Node = Node(0);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Shape {
    label: Label,
    /// By the next digit; without it, the label holds for all that follows.
    next: Option<[Node; 10]>,
}

pub(crate) struct Forest {
    shapes: Vec<Shape>,
    known: HashMap<Shape, Node>,
}

type Labels<'a> = &'a dyn Fn(Label, Label) -> Label;

impl Forest {
    pub(crate) fn new() -> Forest {
        let mut forest = Forest { shapes: Vec::new(), known: HashMap::new() };
        assert!(forest.always(NOTHING) == NEVER);
        forest
    }

    /// Says the same of every number.
    pub(crate) fn always(&mut self, label: Label) -> Node {
        self.keep(Shape { label, next: None })
    }

    /// Says `label` of the number that ends here, and what `next` says of longer ones.
    pub(crate) fn node(&mut self, label: Label, next: [Node; 10]) -> Node {
        let [first, ..] = next;
        if next.iter().all(|node| *node == first) && self.label(first) == label && self.is_constant(first) {
            return first;
        }
        self.keep(Shape { label, next: Some(next) })
    }

    /// Says `label` of what has `len` digits, for each length that `label_of` is asked; the last also of all longer ones.
    pub(crate) fn by_length(&mut self, longest: usize, label_of: impl Fn(usize) -> Label) -> Node {
        let longer = self.always(label_of(longest));
        (0..longest).rev().fold(longer, |longer, len| self.node(label_of(len), [longer; 10]))
    }

    pub(crate) fn label(&self, node: Node) -> Label {
        self.shape(node).label
    }

    pub(crate) fn is_constant(&self, node: Node) -> bool {
        self.shape(node).next.is_none()
    }

    pub(crate) fn next(&self, node: Node) -> [Node; 10] {
        self.shape(node).next.unwrap_or([node; 10])
    }

    /// What `upper` says, or `lower` where that says nothing.
    pub(crate) fn over(&mut self, upper: Node, lower: Node) -> Node {
        self.zip(upper, lower, &|upper, lower| if upper == NOTHING { lower } else { upper }, &mut HashMap::new())
    }

    /// What `inner` says, where `outer` says anything.
    pub(crate) fn within(&mut self, inner: Node, outer: Node) -> Node {
        self.zip(inner, outer, &|inner, outer| if outer == NOTHING { NOTHING } else { inner }, &mut HashMap::new())
    }

    /// What `label_of` makes of what both say.
    pub(crate) fn both(&mut self, left: Node, right: Node, label_of: Labels<'_>) -> Node {
        self.zip(left, right, label_of, &mut HashMap::new())
    }

    /// What `label_of` makes of what it says.
    pub(crate) fn map(&mut self, node: Node, label_of: &dyn Fn(Label) -> Label) -> Node {
        self.zip(node, node, &|label, _| label_of(label), &mut HashMap::new())
    }

    /// Says the same of numbers of at most `longest` digits. Of others it may say anything, which makes it smaller.
    pub(crate) fn cut(&mut self, node: Node, longest: usize) -> Node {
        self.cut_known(node, longest, &mut HashMap::new())
    }

    fn cut_known(&mut self, node: Node, longest: usize, known: &mut HashMap<(Node, usize), Node>) -> Node {
        if self.is_constant(node) {
            return node;
        }
        if let Some(cut) = known.get(&(node, longest)) {
            return *cut;
        }
        let label = self.label(node);
        let cut = match longest.checked_sub(1) {
            None => self.always(label),
            Some(longest) => {
                let next = self.next(node).map(|next| self.cut_known(next, longest, known));
                self.node(label, next)
            }
        };
        known.insert((node, longest), cut);
        cut
    }

    fn zip(&mut self, left: Node, right: Node, label_of: Labels<'_>, known: &mut HashMap<(Node, Node), Node>) -> Node {
        if let Some(node) = known.get(&(left, right)) {
            return *node;
        }
        let label = label_of(self.label(left), self.label(right));
        let node = if self.is_constant(left) && self.is_constant(right) {
            self.always(label)
        } else {
            let (lefts, rights) = (self.next(left), self.next(right));
            let mut next = [NEVER; 10];
            for (next, (left, right)) in next.iter_mut().zip(lefts.into_iter().zip(rights)) {
                *next = self.zip(left, right, label_of, known);
            }
            self.node(label, next)
        };
        known.insert((left, right), node);
        node
    }

    fn keep(&mut self, shape: Shape) -> Node {
        if let Some(node) = self.known.get(&shape) {
            return *node;
        }
        let node = Node(self.shapes.len() as u32);
        self.shapes.push(shape.clone());
        self.known.insert(shape, node);
        node
    }

    fn shape(&self, node: Node) -> &Shape {
        &self.shapes[node.0 as usize]
    }
}
