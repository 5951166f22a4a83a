//! Embeds the feature files: every file below `features/` that ends in `.feature`, by its path.
//! A directory is watched as well as its files, so that a new file is noticed. Says, too, which Rust builds it.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("features");
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let mut source = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(&root)?.to_string_lossy().replace('\\', "/");
        writeln!(source, "    ({name:?}, include_bytes!({:?}) as &[u8]),", file.display().to_string())?;
    }
    source.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("features.rs"), source)?;
    if let Some(version) = compiler() {
        println!("cargo::rustc-env=MESH_WITNESS_RUST={version}");
    }
    Ok(())
}

/// The compiler's version, such as `1.90.0`. Nothing depends on it, so that one that does not tell is no obstacle.
fn compiler() -> Option<String> {
    let output = Command::new(env::var_os("RUSTC")?).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.split_whitespace().nth(1)?.to_owned())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "feature") {
            println!("cargo::rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    Ok(())
}
