//! Patients in addresses: `GPPROVIDER_9434765919_30041957_SMITH`.

use std::fmt;

use chrono::NaiveDate;
use thiserror::Error;

/// A valid NHS number: ten digits, the last of which checks the others (NHS Data Dictionary, NHS
/// NUMBER: modulus 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NhsNumber([u8; 10]);

/// Why a text is not an NHS number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be ten digits, the last of them the check digit of the others")]
pub struct NhsNumberError;

/// In which order a date of birth is written, always eight digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// `DDMMYYYY` (GP Connect messaging).
    DayFirst,
    /// `YYYYMMDD` (NHS guide to the MESH endpoint lookup).
    YearFirst,
}

/// An address that names a patient, for the mailbox of the practice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientAddress {
    /// NHS number.
    pub nhs_number: NhsNumber,
    /// Date of birth.
    pub born: NaiveDate,
    /// Surname, as written.
    pub surname: String,
}

/// Why a text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PatientAddressError {
    /// It does not begin with `GPPROVIDER_`, so it is another kind of address.
    #[error("must begin with GPPROVIDER_ in upper case")]
    NotOfAPatient,
    /// The second part is no NHS number.
    #[error("must have an NHS number in the second place")]
    NhsNumber,
    /// The rest is not a date of birth and a surname.
    #[error("must end with a date of birth of eight digits and a surname")]
    Demographics,
}

impl NhsNumber {
    /// Reads an NHS number.
    ///
    /// # Errors
    /// [`NhsNumberError`] when a digit is missing, too many or wrong.
    ///
    /// ```
    /// use mesh_witness::protocol::NhsNumber;
    /// assert!(NhsNumber::parse("9434765919").is_ok());
    /// assert!(NhsNumber::parse("9434765918").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, NhsNumberError> {
        let digits: [u8; 10] = text.as_bytes().try_into().map_err(|_| NhsNumberError)?;
        let right =
            digits.iter().all(u8::is_ascii_digit) && check_digit(&digits[..9]) == Some(digits[9] - b'0');
        if right { Ok(Self(digits)) } else { Err(NhsNumberError) }
    }
}

/// Weights 10 down to 2, modulus 11; 11 stands for 0, and 10 for no such number.
fn check_digit(nine: &[u8]) -> Option<u8> {
    let sum: u32 =
        nine.iter().zip((2..=10).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    match 11 - sum % 11 {
        11 => Some(0),
        10 => None,
        digit => u8::try_from(digit).ok(),
    }
}

impl fmt::Display for NhsNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{}", char::from(*digit)))
    }
}

impl PatientAddress {
    /// Reads an address, with the date of birth in the order that the endpoint expects: the other
    /// order is not tried.
    ///
    /// # Errors
    /// [`PatientAddressError`] says which part is wrong.
    pub fn parse(text: &str, order: DateOrder) -> Result<Self, PatientAddressError> {
        let rest = text.strip_prefix("GPPROVIDER_").ok_or(PatientAddressError::NotOfAPatient)?;
        let (nhs_number, rest) = rest.split_once('_').unwrap_or((rest, ""));
        let nhs_number = NhsNumber::parse(nhs_number).map_err(|_| PatientAddressError::NhsNumber)?;
        let (born, surname) = rest.split_once('_').ok_or(PatientAddressError::Demographics)?;
        let born = date(born, order).ok_or(PatientAddressError::Demographics)?;
        if surname.is_empty() {
            return Err(PatientAddressError::Demographics);
        }
        Ok(Self { nhs_number, born, surname: surname.to_owned() })
    }
}

fn date(text: &str, order: DateOrder) -> Option<NaiveDate> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let format = match order {
        DateOrder::DayFirst => "%d%m%Y",
        DateOrder::YearFirst => "%Y%m%d",
    };
    NaiveDate::parse_from_str(text, format).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_read_in_the_order_that_is_asked_for() {
        let born = NaiveDate::from_ymd_opt(1957, 4, 30).unwrap();
        for (text, order) in [
            ("GPPROVIDER_9434765919_30041957_SMITH", DateOrder::DayFirst),
            ("GPPROVIDER_9434765919_19570430_SMITH", DateOrder::YearFirst),
        ] {
            let address = PatientAddress::parse(text, order).unwrap();
            assert_eq!((address.born, address.surname.as_str()), (born, "SMITH"));
        }
        let other = PatientAddress::parse("GPPROVIDER_9434765919_19570430_SMITH", DateOrder::DayFirst);
        assert_eq!(other, Err(PatientAddressError::Demographics));
    }

    #[test]
    fn each_wrong_part_is_named() {
        use PatientAddressError::{Demographics, NhsNumber, NotOfAPatient};
        for (text, error) in [
            ("X26ABC1", NotOfAPatient),
            ("gpprovider_9434765919_30041957_SMITH", NotOfAPatient),
            ("GPPROVIDER_", NhsNumber),
            ("GPPROVIDER_9434765918_30041957_SMITH", NhsNumber),
            ("GPPROVIDER_943476591_30041957_SMITH", NhsNumber),
            ("GPPROVIDER_9434765919", Demographics),
            ("GPPROVIDER_9434765919_30021957_SMITH", Demographics),
            ("GPPROVIDER_9434765919_30041957_", Demographics),
        ] {
            assert_eq!(PatientAddress::parse(text, DateOrder::DayFirst), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn of_the_ten_last_digits_at_most_one_is_right_and_a_single_slip_is_noticed(
            nine in "[0-9]{9}", place in 0usize..10, slip in 1u8..10,
        ) {
            let valid: Vec<String> =
                (0..10).map(|last| format!("{nine}{last}")).filter(|n| NhsNumber::parse(n).is_ok()).collect();
            prop_assert!(valid.len() <= 1);
            if let Some(number) = valid.first() {
                prop_assert_eq!(&NhsNumber::parse(number).unwrap().to_string(), number);
                let mut digits = number.clone().into_bytes();
                digits[place] = b'0' + (digits[place] - b'0' + slip) % 10;
                prop_assert!(NhsNumber::parse(std::str::from_utf8(&digits).unwrap()).is_err());
            }
        }

        #[test]
        fn no_text_stops_the_parsers(text in "\\PC{0,60}") {
            let _ = NhsNumber::parse(&text);
            let _ = PatientAddress::parse(&text, DateOrder::DayFirst);
            let _ = PatientAddress::parse(&format!("GPPROVIDER_9434765919_{text}"), DateOrder::YearFirst);
        }
    }
}
