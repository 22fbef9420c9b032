//! A source file in which each mutant stands beside what it is a mutant of.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::places::{self, Places};
use crate::{Mutant, Position};

/// What asks whether a mutant counts; `build` writes it.
const IS: &str = "crate::mutant::is";

/// A file, and what is done to it.
pub struct Source {
    text: String,
    lines: Vec<usize>,
    places: Places,
}

/// A file with mutants in it.
#[derive(Default)]
pub struct Mutated {
    pub text: String,
    /// The lines of what each mutant brings; those of one that only takes away are where it asks.
    pub brought: Vec<(usize, Range<usize>)>,
    /// The lines of everything that was changed for some of them.
    pub changed: Vec<(Vec<usize>, Range<usize>)>,
    /// The lines of each `match`, and the mutants that take an arm away.
    pub matches: Vec<(Vec<usize>, Range<usize>)>,
}

/// What stands at a stretch of the file instead, or at a point of it besides.
#[derive(Default)]
struct Change {
    /// Values that stand there instead, each of a mutant.
    instead: Vec<(usize, String)>,
    /// Statements that stand there besides: the body of a mutant.
    bodies: Vec<(usize, String)>,
    /// The arm here is taken away by this one.
    arm: Option<usize>,
    /// Those that take an arm of this `match` away.
    arms: Vec<usize>,
}

impl Source {
    pub fn new(text: String) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        let places = places::of(&text);
        Self {
            text,
            lines,
            places,
        }
    }

    fn offset(&self, at: Position) -> usize {
        let start = self.lines[at.line - 1];
        let characters = self.text[start..].char_indices();
        let mut behind = characters.skip(at.column - 1);
        behind
            .next()
            .map_or(self.text.len(), |(offset, _)| start + offset)
    }

    fn stretch(&self, stretch: &Range<Position>) -> Range<usize> {
        self.offset(stretch.start)..self.offset(stretch.end)
    }

    fn text_of(&self, stretch: &Range<Position>) -> &str {
        &self.text[self.stretch(stretch)]
    }

    /// The file with these mutants, and why others cannot stand in it.
    pub fn with(&self, mutants: &[(usize, &Mutant)]) -> (Mutated, HashMap<usize, String>) {
        let mut changes = Changes::new();
        let mut apart = HashMap::new();
        for (id, mutant) in mutants {
            if let Err(why) = self.place(*id, mutant, &mut changes) {
                apart.insert(*id, why.to_owned());
            }
        }
        let mut writer = Writer {
            source: self,
            changes: changes.into_iter().collect(),
            next: 0,
            line: 1,
            mutated: Mutated::default(),
        };
        writer.write(0..self.text.len());
        (writer.mutated, apart)
    }

    fn place(&self, id: usize, mutant: &Mutant, changes: &mut Changes) -> Result<(), &'static str> {
        let begins = mutant.span.start;
        let places = &self.places;
        let (stretch, is_const, value) = match mutant.genre.as_str() {
            "FnValue" => {
                let body = places.bodies.get(&begins).ok_or("no such body")?;
                if body.is_const {
                    return Err("constant");
                }
                // Each value of such a type is of its own.
                let returned = mutant.name.split_once(" -> ");
                if returned.is_some_and(|(_, returned)| returned.contains("impl ")) {
                    return Err("its type is hidden");
                }
                let at = self.offset(body.at);
                change(changes, at..at)
                    .bodies
                    .push((id, mutant.replacement.clone()));
                return Ok(());
            }
            "BinaryOperator" => {
                let place = places.binaries.get(&begins).ok_or("no such operator")?;
                if place.binds {
                    return Err("names are bound");
                }
                let (left, right) = (self.text_of(&place.left), self.text_of(&place.right));
                let value = if mutant.replacement.len() > 1
                    && mutant.replacement.ends_with('=')
                    && !matches!(mutant.replacement.as_str(), "==" | "!=" | "<=" | ">=")
                {
                    // What is assigned to is a place, and no value.
                    format!("{left} {} ({right})", mutant.replacement)
                } else {
                    format!("({left}) {} ({right})", mutant.replacement)
                };
                (&place.whole, place.is_const, value)
            }
            "UnaryOperator" => {
                let place = places.unaries.get(&begins).ok_or("no such operator")?;
                let operand = self.text_of(&place.operand);
                let value = format!("{}({operand})", mutant.replacement);
                (&place.whole, place.is_const, value)
            }
            "MatchArmGuard" => {
                let place = places.guards.get(&begins).ok_or("no such guard")?;
                if place.binds {
                    return Err("names are bound");
                }
                (&place.whole, place.is_const, mutant.replacement.clone())
            }
            "MatchArm" => {
                let place = places.arms.get(&begins).ok_or("no such arm")?;
                if place.is_const {
                    return Err("constant");
                }
                if place.binds {
                    return Err("names are bound");
                }
                let here = match &place.guard {
                    Some(guard) => self.stretch(guard),
                    None => self.offset(place.at)..self.offset(place.at),
                };
                change(changes, here).arm = Some(id);
                change(changes, self.stretch(&place.of)).arms.push(id);
                return Ok(());
            }
            _ => return Err("a mutant of another kind"),
        };
        if is_const {
            return Err("constant");
        }
        change(changes, self.stretch(stretch))
            .instead
            .push((id, value));
        Ok(())
    }
}

/// By where they begin, the longest first, so that what is inside comes after.
type Changes = BTreeMap<(usize, Reverse<usize>), Change>;

fn change(changes: &mut Changes, stretch: Range<usize>) -> &mut Change {
    let key = (stretch.start, Reverse(stretch.end));
    changes.entry(key).or_default()
}

struct Writer<'s> {
    source: &'s Source,
    changes: Vec<((usize, Reverse<usize>), Change)>,
    next: usize,
    line: usize,
    mutated: Mutated,
}

impl Writer<'_> {
    fn put(&mut self, text: &str) {
        self.line += text.matches('\n').count();
        self.mutated.text.push_str(text);
    }

    /// Writes a stretch of the file with what is changed inside.
    fn write(&mut self, stretch: Range<usize>) {
        let mut at = stretch.start;
        while let Some(((start, Reverse(end)), _)) = self.changes.get(self.next) {
            let (start, end) = (*start, *end);
            if start > stretch.end || end > stretch.end {
                break;
            }
            let change = std::mem::take(&mut self.changes[self.next].1);
            self.next += 1;
            let source = self.source;
            self.put(&source.text[at..start]);
            self.change(start..end, change);
            at = end;
        }
        let source = self.source;
        self.put(&source.text[at..stretch.end]);
    }

    fn change(&mut self, stretch: Range<usize>, change: Change) {
        let began = self.line;
        let mut ids: Vec<usize> = change.instead.iter().map(|(id, _)| *id).collect();
        ids.extend(change.bodies.iter().map(|(id, _)| *id));
        ids.extend(change.arm);

        for (id, body) in &change.bodies {
            self.put(&format!("\nif {IS}({id}) {{\n"));
            let brought = self.line;
            self.put(&format!("return {body};\n"));
            self.mutated.brought.push((*id, brought..self.line));
            self.put("}");
        }
        if let Some(id) = change.arm {
            let asks = self.line;
            if stretch.is_empty() {
                self.put(&format!(" if !{IS}({id}) "));
            } else {
                self.put(&format!(" !{IS}({id}) && ("));
            }
            self.mutated.brought.push((id, asks..self.line + 1));
        }
        if !change.instead.is_empty() {
            self.put("(");
            for (id, value) in &change.instead {
                self.put(&format!("if {IS}({id}) {{\n"));
                let brought = self.line;
                self.put(value);
                self.put("\n");
                self.mutated.brought.push((*id, brought..self.line));
                self.put("} else ");
            }
            self.put("{\n");
        }
        self.write(stretch.clone());
        if !change.instead.is_empty() {
            self.put("\n})");
        }
        if change.arm.is_some() && !stretch.is_empty() {
            self.put(")");
        }
        if !ids.is_empty() {
            self.mutated.changed.push((ids, began..self.line + 1));
        }
        if !change.arms.is_empty() {
            self.mutated
                .matches
                .push((change.arms, began..self.line + 1));
        }
    }
}
