//! Operators on known values: arithmetic, comparison, equality.
//!
//! Integers stay integers, and what doesn't fit or isn't defined is a mistake, never a float
//! that looks right. Equality is that of values: `1 == "1"` is false, as in Terraform. Secrets
//! and pending values never come here.

use remit_sdk::{Number, Value};

use super::convert::{Misfit, to_number};
use crate::config::syntax::BinaryOperator;

/// What went wrong: an operand that doesn't fit (0 is the left one), or the operation itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// An operand has the wrong type.
    Operand(usize, Misfit),
    /// The operation has no result.
    Operation(&'static str),
}

/// `left operator right`; `&&` and `||` are evaluated elsewhere, since they don't always look at
/// both.
pub(super) fn binary(
    left: &Value,
    operator: BinaryOperator,
    right: &Value,
) -> Result<Value, Problem> {
    match operator {
        BinaryOperator::Equal => return Ok(Value::Bool(left == right)),
        BinaryOperator::NotEqual => return Ok(Value::Bool(left != right)),
        _ => {}
    }
    let a = to_number(left).map_err(|misfit| Problem::Operand(0, misfit))?;
    let b = to_number(right).map_err(|misfit| Problem::Operand(1, misfit))?;
    Ok(match operator {
        BinaryOperator::Less => Value::Bool(a < b),
        BinaryOperator::LessOrEqual => Value::Bool(a <= b),
        BinaryOperator::Greater => Value::Bool(a > b),
        BinaryOperator::GreaterOrEqual => Value::Bool(a >= b),
        _ => Value::Number(arithmetic(a, operator, b).map_err(Problem::Operation)?),
    })
}

fn arithmetic(a: Number, operator: BinaryOperator, b: Number) -> Result<Number, &'static str> {
    const OVERFLOW: &str = "the result is too large for a number";
    const BY_ZERO: &str = "this divides by zero";
    if let (Number::Integer(a), Number::Integer(b)) = (a, b) {
        let integer = |result: Option<i64>| result.map(Number::Integer).ok_or(OVERFLOW);
        return match operator {
            BinaryOperator::Add => integer(a.checked_add(b)),
            BinaryOperator::Subtract => integer(a.checked_sub(b)),
            BinaryOperator::Multiply => integer(a.checked_mul(b)),
            BinaryOperator::Divide | BinaryOperator::Remainder if b == 0 => Err(BY_ZERO),
            BinaryOperator::Remainder => integer(a.checked_rem(b)),
            _ => match a.checked_rem(b) {
                Some(0) => integer(a.checked_div(b)),
                Some(_) => fraction(Number::Integer(a).as_f64() / Number::Integer(b).as_f64()),
                None => Err(OVERFLOW),
            },
        };
    }
    let (a, b) = (a.as_f64(), b.as_f64());
    match operator {
        BinaryOperator::Add => fraction(a + b),
        BinaryOperator::Subtract => fraction(a - b),
        BinaryOperator::Multiply => fraction(a * b),
        _ if b == 0.0 => Err(BY_ZERO),
        BinaryOperator::Remainder => fraction(a % b),
        _ => fraction(a / b),
    }
}

fn fraction(result: f64) -> Result<Number, &'static str> {
    Number::from_f64(result).ok_or("the result is too large for a number")
}

/// `-a`.
pub(super) fn negate(value: &Value) -> Result<Value, Problem> {
    let zero = Value::integer(0);
    binary(&zero, BinaryOperator::Subtract, value).map_err(|problem| match problem {
        Problem::Operand(_, misfit) => Problem::Operand(0, misfit),
        Problem::Operation(why) => Problem::Operation(why),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use BinaryOperator::*;

    fn int(n: i64) -> Value {
        Value::integer(n)
    }

    #[test]
    fn results() {
        let half = Value::Number(Number::Float(0.5));
        for (left, operator, right, result) in [
            (int(2), Add, int(3), int(5)),
            (int(7), Remainder, int(4), int(3)),
            (int(6), Divide, int(3), int(2)),
            (int(1), Divide, int(2), half.clone()),
            (half.clone(), Add, half.clone(), int(1)),
            (int(2), Multiply, Value::string("4"), int(8)),
            (int(1), Less, int(2), Value::Bool(true)),
            (int(2), LessOrEqual, int(2), Value::Bool(true)),
            (int(2), Greater, int(2), Value::Bool(false)),
            (int(2), GreaterOrEqual, int(3), Value::Bool(false)),
            (int(1), Equal, Value::string("1"), Value::Bool(false)),
            (Value::Null, NotEqual, int(0), Value::Bool(true)),
        ] {
            assert_eq!(binary(&left, operator, &right), Ok(result), "{operator:?}");
        }
        assert_eq!(negate(&int(3)), Ok(int(-3)));
    }

    #[test]
    fn what_has_no_result() {
        for (left, operator, right) in [
            (int(1), Divide, int(0)),
            (int(5), Remainder, int(0)),
            (int(i64::MAX), Add, int(1)),
            (int(i64::MIN), Subtract, int(1)),
            (int(i64::MAX), Multiply, int(2)),
            (int(i64::MIN), Divide, int(-1)),
            (Value::Number(Number::Float(0.5)), Divide, int(0)),
            (Value::Number(Number::Float(1e308)), Multiply, int(100)),
        ] {
            let problem = binary(&left, operator, &right);
            assert!(
                matches!(problem, Err(Problem::Operation(_))),
                "{operator:?}"
            );
        }
        assert!(negate(&int(i64::MIN)).is_err());
        assert!(matches!(
            binary(&int(1), Add, &Value::Null),
            Err(Problem::Operand(1, _))
        ));
    }
}
