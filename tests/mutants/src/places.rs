//! Where in a file the mutants stand, found in its syntax.

use std::collections::HashMap;
use std::ops::Range;

use proc_macro2::Span as TokenSpan;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, BinOp, Block, Expr, UnOp};

use crate::Position;

/// What may be changed at a position, by where a mutant of it begins.
#[derive(Default)]
pub struct Places {
    pub bodies: HashMap<Position, Body>,
    pub binaries: HashMap<Position, Binary>,
    pub unaries: HashMap<Position, Unary>,
    pub guards: HashMap<Position, Guard>,
    pub arms: HashMap<Position, ArmPlace>,
}

type Stretch = Range<Position>;

pub struct Body {
    /// Behind the opening brace.
    pub at: Position,
    pub is_const: bool,
}

pub struct Binary {
    pub whole: Stretch,
    pub left: Stretch,
    pub right: Stretch,
    pub is_const: bool,
    /// One side binds names, which an expression in parentheses cannot.
    pub binds: bool,
}

pub struct Unary {
    pub whole: Stretch,
    pub operand: Stretch,
    pub is_const: bool,
}

pub struct Guard {
    pub whole: Stretch,
    pub is_const: bool,
    pub binds: bool,
}

pub struct ArmPlace {
    /// Behind the pattern.
    pub at: Position,
    pub guard: Option<Stretch>,
    /// The `match` that it is of.
    pub of: Stretch,
    pub is_const: bool,
    pub binds: bool,
}

pub fn of(text: &str) -> Places {
    let file = syn::parse_file(text).expect("a source file");
    let mut finder = Finder::default();
    finder.visit_file(&file);
    finder.places
}

#[derive(Default)]
struct Finder {
    places: Places,
    consts: u32,
}

fn position(at: proc_macro2::LineColumn) -> Position {
    Position {
        line: at.line,
        column: at.column + 1,
    }
}

fn stretch(span: TokenSpan) -> Stretch {
    position(span.start())..position(span.end())
}

/// Whether names are bound by it, as in a chain of `let`s.
fn binds(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => binds(&binary.left) || binds(&binary.right),
        _ => false,
    }
}

impl Finder {
    fn body(&mut self, block: &Block) {
        if let Some(first) = block.stmts.first() {
            let body = Body {
                at: position(block.brace_token.span.open().end()),
                is_const: self.consts > 0,
            };
            let begins = position(first.span().start());
            self.places.bodies.insert(begins, body);
        }
    }

    fn within(&mut self, is_const: bool, visit: impl FnOnce(&mut Self)) {
        self.consts += u32::from(is_const);
        visit(self);
        self.consts -= u32::from(is_const);
    }

    fn arm(&mut self, arm: &Arm, of: &Stretch) {
        let is_const = self.consts > 0;
        let guard = arm.guard.as_ref().map(|(_, guard)| guard);
        if let Some(guard) = guard {
            let place = Guard {
                whole: stretch(guard.span()),
                is_const,
                binds: binds(guard),
            };
            self.places.guards.insert(place.whole.start, place);
        }
        let place = ArmPlace {
            at: position(arm.pat.span().end()),
            guard: guard.map(|guard| stretch(guard.span())),
            of: of.clone(),
            is_const,
            binds: guard.is_some_and(|guard| binds(guard)),
        };
        self.places.arms.insert(position(arm.span().start()), place);
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.within(item.sig.constness.is_some(), |finder| {
            finder.body(&item.block);
            visit::visit_item_fn(finder, item);
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.within(item.sig.constness.is_some(), |finder| {
            finder.body(&item.block);
            visit::visit_impl_item_fn(finder, item);
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.body(block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.within(true, |finder| visit::visit_item_const(finder, item));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.within(true, |finder| visit::visit_impl_item_const(finder, item));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.within(true, |finder| visit::visit_item_static(finder, item));
    }

    fn visit_expr_const(&mut self, expr: &'ast syn::ExprConst) {
        self.within(true, |finder| visit::visit_expr_const(finder, expr));
    }

    fn visit_type_array(&mut self, array: &'ast syn::TypeArray) {
        self.within(true, |finder| visit::visit_type_array(finder, array));
    }

    fn visit_expr_repeat(&mut self, expr: &'ast syn::ExprRepeat) {
        self.visit_expr(&expr.expr);
        self.within(true, |finder| finder.visit_expr(&expr.len));
    }

    fn visit_expr_binary(&mut self, expr: &'ast syn::ExprBinary) {
        let place = Binary {
            whole: stretch(expr.span()),
            left: stretch(expr.left.span()),
            right: stretch(expr.right.span()),
            is_const: self.consts > 0,
            binds: matches!(expr.op, BinOp::And(_) | BinOp::Or(_))
                && (binds(&expr.left) || binds(&expr.right)),
        };
        let operator = position(expr.op.span().start());
        self.places.binaries.insert(operator, place);
        visit::visit_expr_binary(self, expr);
    }

    fn visit_expr_unary(&mut self, expr: &'ast syn::ExprUnary) {
        if !matches!(expr.op, UnOp::Deref(_)) {
            let place = Unary {
                whole: stretch(expr.span()),
                operand: stretch(expr.expr.span()),
                is_const: self.consts > 0,
            };
            self.places.unaries.insert(place.whole.start, place);
        }
        visit::visit_expr_unary(self, expr);
    }

    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        let of = stretch(expr.span());
        for arm in &expr.arms {
            self.arm(arm, &of);
        }
        visit::visit_expr_match(self, expr);
    }
}
