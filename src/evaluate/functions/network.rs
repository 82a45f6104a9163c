//! Networks: parts of a range of addresses, IPv4 or IPv6.
//!
//! A range is written `ADDRESS/LENGTH`; what the address holds beyond the length is ignored.
//! Addresses are computed as 128-bit numbers, those of IPv4 in the lower 32.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use remit_sdk::Value;

use super::arguments::{Arguments, describe};
use super::room::Room;
use super::{Function, FunctionError, Outcome, fixed, variadic};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("cidrhost", "cidrhost(range, number)", 2, host),
    fixed("cidrnetmask", "cidrnetmask(range)", 1, netmask),
    fixed("cidrsubnet", "cidrsubnet(range, bits, number)", 3, subnet),
    variadic("cidrsubnets", "cidrsubnets(range, bits)", 2, subnets),
];

/// A range of addresses.
#[derive(Clone, Copy)]
struct Range {
    first: u128,
    length: u32,
    /// Bits of an address: 32 or 128.
    width: u32,
}

/// `2^bits - 1`, for up to 128 bits.
fn ones(bits: u32) -> u128 {
    1_u128
        .checked_shl(bits)
        .map_or(u128::MAX, |power| power.wrapping_sub(1))
}

impl Range {
    fn parse(a: &Arguments<'_>) -> Result<Self, FunctionError> {
        let text = a.text(0)?;
        let bad = || {
            FunctionError::at(
                0,
                format!("{} is no range of addresses", describe(a.value(0))),
            )
            .help("write an address and the length of its prefix, such as `10.0.0.0/8`")
        };
        let (address, length) = text.split_once('/').ok_or_else(bad)?;
        if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad());
        }
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let length: u32 = length.parse().map_err(|_| bad())?;
        let (bits, width) = match address {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        if length > width {
            return Err(bad());
        }
        Ok(Self {
            first: bits & !ones(width - length),
            length,
            width,
        })
    }

    /// The number of the last address, counted from the first.
    fn last(self) -> u128 {
        ones(self.width - self.length)
    }

    fn address(self, bits: u128) -> IpAddr {
        match u32::try_from(bits) {
            Ok(bits) if self.width == 32 => IpAddr::V4(Ipv4Addr::from(bits)),
            _ => IpAddr::V6(Ipv6Addr::from(bits)),
        }
    }

    /// The length of prefixes longer by what the argument says.
    fn longer(self, a: &Arguments<'_>, position: usize) -> Result<u32, FunctionError> {
        let more = a.size(position)?;
        u32::try_from(more)
            .ok()
            .and_then(|more| self.length.checked_add(more))
            .filter(|length| *length <= self.width)
            .ok_or_else(|| {
                FunctionError::at(
                    position,
                    format!(
                        "a prefix of {} bits can't be longer by {more}: an address has {}",
                        self.length, self.width
                    ),
                )
            })
    }
}

/// An address of the range by its number, which counts from the end where it is negative.
fn host(a: &Arguments<'_>) -> Outcome {
    let (range, number) = (Range::parse(a)?, a.integer(1)?);
    let size = u128::from(number.unsigned_abs());
    let offset = if number < 0 {
        range.last().checked_sub(size - 1)
    } else {
        Some(size).filter(|offset| *offset <= range.last())
    };
    let offset =
        offset.ok_or_else(|| FunctionError::at(1, format!("the range has no address {number}")))?;
    Ok(Value::string(
        range.address(range.first | offset).to_string(),
    ))
}

fn netmask(a: &Arguments<'_>) -> Outcome {
    let range = Range::parse(a)?;
    if range.width != 32 {
        return Err(FunctionError::at(0, "only IPv4 has netmasks"));
    }
    let mask = ones(32) & !range.last();
    Ok(Value::string(range.address(mask).to_string()))
}

fn subnet(a: &Arguments<'_>) -> Outcome {
    let range = Range::parse(a)?;
    let length = range.longer(a, 1)?;
    let number = a.size(2)? as u128;
    if number > ones(length - range.length) {
        return Err(FunctionError::at(
            2,
            format!(
                "a prefix longer by {} bits has no number {number}",
                length - range.length
            ),
        ));
    }
    // A prefix of no bits has only number 0, which may be shifted by any width.
    let offset = number.checked_shl(range.width - length).unwrap_or(0);
    let address = range.address(range.first | offset);
    Ok(Value::String(format!("{address}/{length}")))
}

/// Ranges one after the other, each where the one before ends or at the next multiple of its own
/// size.
fn subnets(a: &Arguments<'_>) -> Outcome {
    let range = Range::parse(a)?;
    let mut room = Room::new();
    let mut out = Vec::new();
    // `None` once the last address is used.
    let mut next = Some(0_u128);
    for position in 1..a.count() {
        let length = range.longer(a, position)?;
        let last = ones(range.width - length);
        let full = || FunctionError::at(position, "the range has no room left for this one");
        let start = next
            .and_then(|next| next.checked_add(last))
            .map(|end| end & !last)
            .filter(|start| *start <= range.last())
            .ok_or_else(full)?;
        next = (start | last).checked_add(1);
        let address = range.address(range.first | start);
        out.push(room.text(&format!("{address}/{length}"))?);
    }
    Ok(Value::List(out))
}
