//! `verify`: is a bundle whole and unchanged?

use mesh_witness::evidence;

use super::{Exit, Failure, args::VerifyArguments};

pub fn verify(arguments: &VerifyArguments) -> Result<Exit, Failure> {
    let verified = evidence::verify(&arguments.bundle).map_err(|error| Failure::new(Exit::Usage, error))?;
    for line in verified.lines() {
        println!("{line}");
    }
    Ok(if verified.is_whole() { Exit::Good } else { Exit::Failed })
}
