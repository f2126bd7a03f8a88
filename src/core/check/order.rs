//! Which expression is stricter than which.

use super::expression::{Expression, Op, Want};
use super::stat::Stat;

/// True where `one` cannot hold without `other` holding too, whatever the samples are. Silent about
/// pairs that it cannot compare.
#[must_use]
pub fn implies(one: &Expression, other: &Expression) -> bool {
    if one.field != other.field {
        return false;
    }
    let (Some(first), Some(second)) = (one.threshold(), other.threshold()) else {
        return one == other;
    };
    if same_side(one.op, other.op, Op::is_upper_bound) {
        let inside = first < second || first.total_cmp(&second).is_eq() && !loosens(one, other);
        inside && largest(one).is_at_least(largest(other))
    } else if same_side(one.op, other.op, Op::is_lower_bound) {
        let inside = first > second || first.total_cmp(&second).is_eq() && !loosens(one, other);
        // Without a statistic, what never came fails a lower bound; a least value may ignore it.
        let stat = match (one.stat, other.stat) {
            (None, None) => true,
            (None, Some(other)) => other.is_at_least(Stat::Min),
            (Some(_), None) => false,
            (Some(one), Some(other)) => other.is_at_least(one),
        };
        inside && stat
    } else {
        one.op == other.op
            && one.stat == other.stat
            && first.total_cmp(&second).is_eq()
            && matches!((&one.want, &other.want), (Want::Number(_), Want::Number(_)))
    }
}

/// True where `one` implies `other` and says more than it.
#[must_use]
pub fn is_stricter(one: &Expression, other: &Expression) -> bool {
    implies(one, other) && !implies(other, one)
}

fn same_side(one: Op, other: Op, side: fn(Op) -> bool) -> bool {
    side(one) && side(other)
}

/// `<= 5` beside `< 5`.
fn loosens(one: &Expression, other: &Expression) -> bool {
    let open = |op: Op| matches!(op, Op::AtMost | Op::AtLeast);
    open(one.op) && !open(other.op)
}

/// For an upper bound, no statistic is the largest value.
fn largest(expression: &Expression) -> Stat {
    expression.stat.unwrap_or(Stat::Max)
}
