//! Acyclic automata over digits. Each gives a label to every number, and to all numbers with the same beginning.
//!
//! Equal parts are stored once, so two automata with the same labels for all numbers are the same node.

use std::collections::HashMap;

/// The label of a number, or [`NOTHING`].
pub(crate) type Label = u16;

pub(crate) const NOTHING: Label = 0;

/// An automaton, by its first node.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Node(u32);

/// Labels no number.
pub(crate) const NEVER: Node = Node(0);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Shape {
    label: Label,
    /// The nodes by next digit. Without them, the label holds for all longer numbers, too.
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

    /// Gives all numbers the same label.
    pub(crate) fn always(&mut self, label: Label) -> Node {
        self.keep(Shape { label, next: None })
    }

    /// Gives `label` to the number that ends here, and the labels of `next` to longer ones.
    pub(crate) fn node(&mut self, label: Label, next: [Node; 10]) -> Node {
        let [first, ..] = next;
        if next.iter().all(|node| *node == first) && self.label(first) == label && self.is_constant(first) {
            return first;
        }
        self.keep(Shape { label, next: Some(next) })
    }

    /// Labels numbers by their length, up to `longest`. All longer numbers get the label of `longest`.
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

    /// The label from `upper`, or from `lower` if `upper` has none.
    pub(crate) fn over(&mut self, upper: Node, lower: Node) -> Node {
        self.zip(upper, lower, &|upper, lower| if upper == NOTHING { lower } else { upper }, &mut HashMap::new())
    }

    /// The label from `inner`, if `outer` has one, too.
    pub(crate) fn within(&mut self, inner: Node, outer: Node) -> Node {
        self.zip(inner, outer, &|inner, outer| if outer == NOTHING { NOTHING } else { inner }, &mut HashMap::new())
    }

    /// The label that `label_of` computes from both.
    pub(crate) fn both(&mut self, left: Node, right: Node, label_of: Labels<'_>) -> Node {
        self.zip(left, right, label_of, &mut HashMap::new())
    }

    /// The label that `label_of` computes from the label of `node`.
    pub(crate) fn map(&mut self, node: Node, label_of: &dyn Fn(Label) -> Label) -> Node {
        self.zip(node, node, &|label, _| label_of(label), &mut HashMap::new())
    }

    /// Keeps the labels of numbers with at most `longest` digits. Longer numbers may get any label, so that the automaton
    /// becomes smaller.
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
