//! Reads filter patterns. The syntax is that of AWS's page "Filter pattern syntax", for JSON log events.

use super::expression::{Expression, Operator, Part, Selector, Test, Text};

/// `PutMetricFilter` accepts this many characters.
const LONGEST: usize = 1_024;

/// Longer operators come first, because `<` begins `<=`.
const OPERATORS: [(&str, Operator); 6] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

pub(super) fn read(pattern: &str) -> Result<Expression, String> {
    if pattern.chars().count() > LONGEST {
        return Err(format!("a filter pattern has at most {LONGEST} characters"));
    }
    let inner = pattern.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let rest = inner.ok_or("the local stack supports only patterns for JSON, in braces")?;
    let mut reader = Reader { rest };
    let expression = reader.any()?;
    if reader.rest.trim().is_empty() { Ok(expression) } else { Err(reader.expected("&& or ||")) }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn any(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.all()?];
        while self.takes("||") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.part()?];
        while self.takes("&&") {
            parts.push(self.part()?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn part(&mut self) -> Result<Expression, String> {
        if !self.takes("(") {
            return Ok(Expression::Condition(self.selector()?, self.test()?));
        }
        let inner = self.any()?;
        if self.takes(")") { Ok(inner) } else { Err(self.expected(")")) }
    }

    fn selector(&mut self) -> Result<Selector, String> {
        self.rest = self.rest.trim_start();
        let start = self.rest;
        let mut path = Vec::new();
        self.rest = start.strip_prefix('$').ok_or_else(|| self.expected("a selector such as $.outcome"))?;
        loop {
            if let Some(rest) = self.rest.strip_prefix('.') {
                self.rest = rest;
                let name = self.run(|char| char.is_ascii_alphanumeric() || char == '_' || char == '-');
                if name.is_empty() {
                    return Err(self.expected("the name of a member"));
                }
                path.push(Part::Member(name.to_owned()));
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                self.rest = rest;
                let number = self.run(|char| char.is_ascii_digit()).parse().ok();
                let number = number.ok_or_else(|| self.expected("the number of an element"))?;
                self.rest = self.rest.strip_prefix(']').ok_or_else(|| self.expected("]"))?;
                path.push(Part::Element(number));
            } else if path.is_empty() {
                return Err(self.expected("the name of a member"));
            } else {
                let text = start.strip_suffix(self.rest).unwrap_or_default().to_owned();
                return Ok(Selector { text, path });
            }
        }
    }

    fn test(&mut self) -> Result<Test, String> {
        match self.word() {
            "" => {}
            "IS" => {
                return match self.word() {
                    "NULL" => Ok(Test::Null),
                    "TRUE" => Ok(Test::Boolean(true)),
                    "FALSE" => Ok(Test::Boolean(false)),
                    _ => Err(self.expected("NULL, TRUE or FALSE")),
                };
            }
            "NOT" if self.word() == "EXISTS" => return Ok(Test::Missing),
            _ => return Err(self.expected("a comparison, IS or NOT EXISTS")),
        }
        let found = OPERATORS.iter().find(|(sign, _)| self.takes(sign)).map(|(_, operator)| *operator);
        let operator = found.ok_or_else(|| self.expected("a comparison, IS or NOT EXISTS"))?;
        self.rest = self.rest.trim_start();
        let (value, is_quoted) = match self.rest.strip_prefix('"') {
            Some(rest) => {
                let (value, after) = rest.split_once('"').ok_or_else(|| self.expected("a closing quotation mark"))?;
                self.rest = after;
                (value, true)
            }
            None => (self.run(|char| char.is_ascii_alphanumeric() || ".*+-".contains(char)), false),
        };
        if let Some(number) = number(value).filter(|_| !is_quoted) {
            return Ok(Test::Number(operator, number));
        }
        let is_negative = match operator {
            Operator::Equal => false,
            Operator::NotEqual => true,
            _ => return Err(self.expected("a number")),
        };
        if value.is_empty() || !is_quoted && value.contains(['+', '-']) {
            return Err(self.expected("a number, or a text in quotation marks"));
        }
        text(value).map(|text| Test::Text { is_negative, text })
    }

    /// A run of letters.
    fn word(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        self.run(|char| char.is_ascii_alphabetic())
    }

    fn run(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|char| !is_part(char)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        run
    }

    fn takes(&mut self, sign: &str) -> bool {
        match self.rest.trim_start().strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expected(&self, what: &str) -> String {
        let rest = self.rest.trim();
        format!("expected {what} before `{rest}`")
    }
}

/// The only part, or all of them together.
fn one_or(mut parts: Vec<Expression>, together: impl Fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => together(parts.into_iter().chain(last).collect()),
    }
}

/// A number with an optional sign, fraction and exponent. Rust also parses words such as `inf`.
fn number(text: &str) -> Option<f64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|_| is_number)
}

fn text(value: &str) -> Result<Text, String> {
    let (begins_anyhow, rest) = value.strip_prefix('*').map_or((false, value), |rest| (true, rest));
    let (ends_anyhow, middle) = rest.strip_suffix('*').map_or((false, rest), |rest| (true, rest));
    if middle.contains(['*', '\\']) {
        return Err(format!("`{value}`: the local stack supports * only at the ends of a text, and no \\"));
    }
    Ok(Text { begins_anyhow, middle: middle.to_owned(), ends_anyhow })
}
