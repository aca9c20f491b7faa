//! Constants as C computes them: an `int`, or a `long`, of either sign.

use super::cursor::Cursor;
use super::fault::{Fault, Place, fault};
use super::lex::{Class, Token};

/// What a constant can be made of beside numbers.
pub(super) trait Names<'t> {
    /// What this name stands for.
    fn value(&self, name: &str) -> Option<Value>;
    /// Whether a type begins here, as in `sizeof(int)`.
    fn is_type(&self, token: Token<'t>) -> bool;
    /// The size of the type that begins here, and what a cast to it makes of a value.
    fn type_at(&mut self, cursor: &mut Cursor<'_, 't>) -> Result<(usize, Cast), Fault>;
}

/// What a cast makes of a value; `None`: it has no use in a constant.
pub(super) type Cast = Option<fn(i128) -> Value>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) number: i128,
    is_long: bool,
    is_unsigned: bool,
}

impl Value {
    /// As a type of C has it; `None`: it is too large for a signed one.
    fn of(number: i128, is_long: bool, is_unsigned: bool) -> Option<Self> {
        let bits = if is_long { 64 } else { 32 };
        let fits = (number >> (bits - 1)) == 0 || (number >> (bits - 1)) == -1;
        let number = if is_unsigned { number & ((1 << bits) - 1) } else { number };
        (fits || is_unsigned).then_some(Self { number, is_long, is_unsigned })
    }

    pub(super) fn int(number: i32) -> Self {
        Self { number: number.into(), is_long: false, is_unsigned: false }
    }

    pub(super) fn long(number: i64) -> Self {
        Self { number: number.into(), is_long: true, is_unsigned: false }
    }

    pub(super) fn unsigned(number: u32) -> Self {
        Self { number: number.into(), is_long: false, is_unsigned: true }
    }

    pub(super) fn size(number: u64) -> Self {
        Self { number: number.into(), is_long: true, is_unsigned: true }
    }

    fn truth(holds: bool) -> Self {
        Self::int(holds.into())
    }

    /// In the type that C makes of both.
    fn together(self, other: Self) -> Option<(Self, Self)> {
        let is_long = self.is_long || other.is_long;
        let is_unsigned = [self, other].iter().any(|one| one.is_unsigned && one.is_long == is_long);
        let as_both = |one: Self| Self::of(one.number, is_long, is_unsigned);
        Some((as_both(self)?, as_both(other)?))
    }

    fn apply(self, operator: &str, other: Self) -> Option<Self> {
        if let "<<" | ">>" = operator {
            let bits = u32::try_from(other.number).ok().filter(|bits| *bits < if self.is_long { 64 } else { 32 })?;
            let number = if operator == "<<" { self.number << bits } else { self.number >> bits };
            return Self::of(number, self.is_long, self.is_unsigned);
        }
        let (left, right) = self.together(other)?;
        let (a, b) = (left.number, right.number);
        let number = match operator {
            "*" => a.wrapping_mul(b),
            "/" => a.checked_div(b)?,
            "%" => a.checked_rem(b)?,
            "+" => a + b,
            "-" => a - b,
            "&" => a & b,
            "^" => a ^ b,
            "|" => a | b,
            "<" => return Some(Self::truth(a < b)),
            ">" => return Some(Self::truth(a > b)),
            "<=" => return Some(Self::truth(a <= b)),
            ">=" => return Some(Self::truth(a >= b)),
            "==" => return Some(Self::truth(a == b)),
            "!=" => return Some(Self::truth(a != b)),
            "&&" => return Some(Self::truth(self.number != 0 && other.number != 0)),
            "||" => return Some(Self::truth(self.number != 0 || other.number != 0)),
            _ => return None,
        };
        Self::of(number, left.is_long, left.is_unsigned)
    }
}

/// How tightly an operator binds.
fn strength(operator: Token<'_>) -> Option<usize> {
    const BINARY: [&[&str]; 10] = [
        &["||"],
        &["&&"],
        &["|"],
        &["^"],
        &["&"],
        &["==", "!="],
        &["<", ">", "<=", ">="],
        &["<<", ">>"],
        &["+", "-"],
        &["*", "/", "%"],
    ];
    BINARY.iter().position(|operators| operators.iter().any(|text| operator.is(text)))
}

/// A number as C writes it.
fn literal(text: &str) -> Option<Value> {
    let lower = text.to_ascii_lowercase();
    let (digits, radix) = match lower.as_bytes() {
        [b'0', b'x', ..] => (&lower[2..], 16),
        [b'0', b'b', ..] => (&lower[2..], 2),
        [b'0', _, ..] => (&lower[1..], 8),
        _ => (&lower[..], 10),
    };
    let digits_end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (digits, suffix) = digits.split_at(digits_end);
    let (is_unsigned, is_long) = match suffix {
        "" => (false, false),
        "u" => (true, false),
        "l" | "ll" => (false, true),
        "ul" | "ull" | "lu" | "llu" => (true, true),
        _ => return None,
    };
    // `0u`: its digits are those behind the zero.
    let number =
        i128::from(u64::from_str_radix(if digits.is_empty() && radix == 8 { "0" } else { digits }, radix).ok()?);
    // The first type that holds it: a decimal number is unsigned only if it says so.
    let types = [(false, false), (false, true), (true, false), (true, true)];
    types.into_iter().find_map(|(long, unsigned)| {
        let may = long >= is_long && unsigned >= is_unsigned && (radix != 10 || unsigned == is_unsigned);
        Value::of(number, long, unsigned).filter(|value| may && value.number == number)
    })
}

/// The constant that begins here.
pub(super) fn constant<'t>(cursor: &mut Cursor<'_, 't>, names: &mut impl Names<'t>) -> Result<Value, Fault> {
    cursor.deeper()?;
    let from = cursor.place();
    let condition = binary(cursor, names, 0)?;
    let value = if cursor.take("?") {
        let then = constant(cursor, names)?;
        cursor.expect(":", "between the two values of a condition")?;
        let other = constant(cursor, names)?;
        // Of the type that C makes of both.
        let (then, other) = then.together(other).ok_or_else(|| beyond(from.to(cursor.last_place())))?;
        if condition.number != 0 { then } else { other }
    } else {
        condition
    };
    cursor.higher();
    Ok(value)
}

fn binary<'t>(cursor: &mut Cursor<'_, 't>, names: &mut impl Names<'t>, least: usize) -> Result<Value, Fault> {
    let from = cursor.place();
    let mut left = unary(cursor, names)?;
    while let Some((operator, strength)) = cursor.peek().and_then(|token| Some((token, strength(token)?))) {
        if strength < least {
            break;
        }
        cursor.next();
        let right = binary(cursor, names, strength + 1)?;
        left = left.apply(operator.text, right).ok_or_else(|| beyond(from.to(cursor.last_place())))?;
    }
    Ok(left)
}

fn beyond(place: Place) -> Fault {
    fault(place, "C can't compute this constant: it overflows, or divides by zero", "write the number that is meant")
}

fn unary<'t>(cursor: &mut Cursor<'_, 't>, names: &mut impl Names<'t>) -> Result<Value, Fault> {
    cursor.deeper()?;
    let from = cursor.place();
    let zero = Value::int(0);
    let value = if cursor.take("-") {
        zero.apply("-", unary(cursor, names)?)
    } else if cursor.take("+") {
        zero.apply("+", unary(cursor, names)?)
    } else if cursor.take("~") {
        Value::int(-1).apply("^", unary(cursor, names)?)
    } else if cursor.take("!") {
        Some(Value::truth(unary(cursor, names)?.number == 0))
    } else {
        Some(primary(cursor, names)?)
    };
    cursor.higher();
    value.ok_or_else(|| beyond(from.to(cursor.last_place())))
}

/// A number, a name, `sizeof`, a cast, or what is in parentheses.
pub(super) fn primary<'t>(cursor: &mut Cursor<'_, 't>, names: &mut impl Names<'t>) -> Result<Value, Fault> {
    let (place, found) = (cursor.place(), cursor.found());
    let token = cursor.next();
    let is_type =
        |cursor: &Cursor<'_, 't>, names: &dyn Names<'t>| cursor.peek().is_some_and(|next| names.is_type(next));
    match token.map(|token| (token.class, token.text)) {
        Some((Class::Number, text)) => literal(text)
            .ok_or_else(|| fault(place, format!("`{text}` is no whole number that C knows"), "such as 2048, or 0x800")),
        Some((Class::Quoted, text)) => match text.as_bytes() {
            [b'\'', byte, b'\''] => Ok(Value::int((*byte).into())),
            _ => Err(fault(place, "a string is no number", "write the number that is meant")),
        },
        Some((_, "(")) if is_type(cursor, names) => {
            let (_, cast) = names.type_at(cursor)?;
            cursor.expect(")", "behind the type of a cast")?;
            let value = unary(cursor, names)?;
            let place = place.to(cursor.last_place());
            let cast = cast.ok_or_else(|| fault(place, "a cast to this type is no constant", "leave it out"))?;
            Ok(cast(value.number))
        }
        Some((_, "(")) => {
            let value = constant(cursor, names)?;
            cursor.expect(")", "behind what is in parentheses")?;
            Ok(value)
        }
        Some((_, "sizeof")) => {
            cursor.expect("(", "behind sizeof")?;
            if !is_type(cursor, names) {
                let message = format!("{} is no type that is known here", cursor.found());
                return Err(fault(cursor.place(), message, "sizeof takes a type that is declared before it"));
            }
            let (size, _) = names.type_at(cursor)?;
            cursor.expect(")", "behind the type of sizeof")?;
            Ok(Value::size(size as u64))
        }
        Some((Class::Word, name)) => names.value(name).ok_or_else(|| {
            let (message, hint) = if cursor.is("(") {
                (
                    format!("`{name}` takes arguments, and is not computed here"),
                    "write the number that it gives".to_owned(),
                )
            } else {
                (
                    format!("`{name}` is not known here"),
                    format!("put its #define before the struct: #define {name} 1024"),
                )
            };
            fault(place, message, hint)
        }),
        _ => Err(fault(
            place,
            format!("{found} where a number is expected"),
            "such as 2048, 640*480*3, or a name that is #defined",
        )),
    }
}
