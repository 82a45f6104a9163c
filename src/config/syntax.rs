//! The syntax tree: what was written, with a span on everything, and nothing evaluated.
//!
//! It is remit's own, so that the parser can be replaced and nothing else knows which one it is.

use std::sync::Arc;

use remit_sdk::{FileId, Number, Span, Spanned};

/// A directory's files, parsed.
#[derive(Debug, Default)]
pub struct Configuration {
    /// All blocks of all files, in file name order.
    pub blocks: Vec<Block>,
    /// Attributes outside any block: always a mistake in `*.remit.hcl`, the whole content of
    /// a variables file.
    pub attributes: Vec<Attribute>,
    /// The files, in name order.
    pub files: Vec<FileId>,
}

/// `kind "label" { … }`.
#[derive(Debug, Clone)]
pub struct Block {
    /// The first word.
    pub kind: Spanned<String>,
    /// The labels.
    pub labels: Vec<Spanned<String>>,
    /// What is between the braces.
    pub body: Body,
    /// The header: kind and labels.
    pub span: Span,
}

/// What is between the braces of a block, in the order written.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// `name = expression`; the parser refuses a name given twice.
    pub attributes: Vec<Attribute>,
    /// Blocks inside.
    pub blocks: Vec<Block>,
    /// The whole body with its braces.
    pub span: Option<Span>,
}

impl Body {
    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name.value == name)
    }

    /// The blocks of this kind.
    pub fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks
            .iter()
            .filter(move |block| block.kind.value == kind)
    }
}

/// `name = expression`.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// The name.
    pub name: Spanned<String>,
    /// The expression. Shared, since a grant is evaluated for each holder.
    pub expression: Arc<Expression>,
}

/// An expression and where it stands.
#[derive(Debug, Clone)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// The whole of it.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Debug, Clone)]
pub enum ExpressionKind {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A quoted string or heredoc; no parts is the empty string, one text part a plain string.
    Template(Vec<TemplatePart>),
    /// `[a, b]`.
    List(Vec<Expression>),
    /// `{ a = 1 }`.
    Object(Vec<(ObjectKey, Expression)>),
    /// `name`: the root of a reference.
    Variable(String),
    /// `operand.name[index][*]…`.
    Traversal(Box<Expression>, Vec<Step>),
    /// `name(arguments...)`.
    Call(Box<Call>),
    /// `!a`, `-a`.
    Unary(Spanned<UnaryOperator>, Box<Expression>),
    /// `a + b`.
    Binary(Box<Expression>, Spanned<BinaryOperator>, Box<Expression>),
    /// `a ? b : c`.
    Conditional(Box<Expression>, Box<Expression>, Box<Expression>),
    /// `[for …]`, `{for …}`.
    For(Box<For>),
    /// `(a)`.
    Parenthesis(Box<Expression>),
}

/// The key of an object's entry.
#[derive(Debug, Clone)]
pub enum ObjectKey {
    /// `name = …`: the name itself.
    Name(Spanned<String>),
    /// `"…" = …` or `(…) = …`.
    Expression(Expression),
}

/// A step of a traversal.
#[derive(Debug, Clone)]
pub enum Step {
    /// `.name`.
    Attribute(Spanned<String>),
    /// `[index]` and the old `.0`.
    Index(Expression),
    /// `[*]` and `.*`, with its span.
    Splat(Span),
}

/// A function call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The function's name.
    pub name: Spanned<String>,
    /// Its arguments.
    pub arguments: Vec<Expression>,
    /// Whether the last argument is spread with `...`.
    pub expand: bool,
}

/// `[for key, value in collection : result if condition]`.
#[derive(Debug, Clone)]
pub struct For {
    /// The name of the key or index.
    pub key_name: Option<Spanned<String>>,
    /// The name of the value.
    pub value_name: Spanned<String>,
    /// What is gone through.
    pub collection: Expression,
    /// The key of the result, for an object.
    pub key: Option<Expression>,
    /// The value of the result.
    pub value: Expression,
    /// Whether values of one key are grouped to a list (`...`).
    pub group: bool,
    /// Which entries count.
    pub condition: Option<Expression>,
}

/// A piece of a template. Strip markers are already applied to the texts.
#[derive(Debug, Clone)]
pub enum TemplatePart {
    /// Text, escapes resolved.
    Text(String),
    /// `${…}`.
    Interpolation(Expression),
    /// `%{ if }…%{ else }…%{ endif }`.
    If {
        /// The condition.
        condition: Expression,
        /// What stands when it is true.
        then: Vec<TemplatePart>,
        /// What stands when it is false.
        otherwise: Vec<TemplatePart>,
    },
    /// `%{ for }…%{ endfor }`.
    For {
        /// The name of the key or index.
        key_name: Option<Spanned<String>>,
        /// The name of the value.
        value_name: Spanned<String>,
        /// What is gone through.
        collection: Expression,
        /// What stands for each.
        body: Vec<TemplatePart>,
    },
}

/// An operator with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `!`.
    Not,
    /// `-`.
    Negate,
}

/// An operator with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the operators by their usual names
pub enum BinaryOperator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    And,
    Or,
}
