//! `verify`: is a bundle whole and unchanged?

use mesh_witness::evidence;

use super::{Exit, Failure, args::VerifyArguments};

pub fn verify(arguments: &VerifyArguments) -> Result<Exit, Failure> {
    let shown = arguments.bundle.display();
    let verified = evidence::verify(&arguments.bundle).map_err(|error| Failure::new(Exit::Usage, error))?;
    for line in verified.lines() {
        println!("{line}");
    }
    if verified.is_whole() {
        println!("{shown}: whole and unchanged");
        Ok(Exit::Good)
    } else {
        println!("{shown}: NOT as it was written");
        Ok(Exit::Failed)
    }
}
