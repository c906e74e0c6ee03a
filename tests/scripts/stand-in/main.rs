//! Stands for az, kubectl and the others on the `PATH` of the scripts under test.
//!
//! It knows nothing: it tells the test who calls (its own name, arguments, environment) over the socket that
//! `STAND_IN_SOCKET` names, and does what the answer says. It never outlives the test, whose end closes the socket.

use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::{net::UnixStream, process::CommandExt},
    path::Path,
    process::{Command, ExitCode},
};

use serde_json::{Value, json};

/// What a stand-in ends with when the test does not answer: no program of ours uses it.
const NOBODY_ANSWERED: u8 = 98;

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        drop(writeln!(io::stderr(), "stand-in: {error}"));
        ExitCode::from(NOBODY_ANSWERED)
    })
}

fn run() -> io::Result<ExitCode> {
    let socket = env::var_os("STAND_IN_SOCKET").ok_or(io::ErrorKind::NotFound)?;
    let mut test = BufReader::new(UnixStream::connect(socket)?);
    tell(&mut test, &introduction())?;
    loop {
        let mut line = String::new();
        if test.read_line(&mut line)? == 0 {
            return Ok(ExitCode::from(NOBODY_ANSWERED));
        }
        let order: Value = serde_json::from_str(&line)?;
        if order["stdin"] == true {
            let mut input = Vec::new();
            io::stdin().read_to_end(&mut input)?;
            tell(&mut test, &json!(String::from_utf8_lossy(&input)))?;
        } else {
            return obey(&order, &mut test);
        }
    }
}

/// Name, arguments and environment of this call.
fn introduction() -> Value {
    let mut words = env::args_os().map(|word| word.to_string_lossy().into_owned());
    let name = words.next().unwrap_or_default();
    json!({
        "program": Path::new(&name).file_name().map(|name| name.to_string_lossy()),
        "args": words.collect::<Vec<_>>(),
        "env": env::vars_os()
            .map(|(key, value)| (key.to_string_lossy().into_owned(), json!(value.to_string_lossy())))
            .collect::<serde_json::Map<_, _>>(),
    })
}

fn tell(test: &mut BufReader<UnixStream>, what: &Value) -> io::Result<()> {
    let mut line = what.to_string();
    line.push('\n');
    test.get_mut().write_all(line.as_bytes())
}

fn obey(order: &Value, test: &mut BufReader<UnixStream>) -> io::Result<ExitCode> {
    if let Some(program) = order["exec"].as_str() {
        let words = order["args"].as_array().into_iter().flatten();
        return Err(Command::new(program)
            .args(words.filter_map(Value::as_str))
            .exec());
    }
    write_all(io::stdout(), &order["stdout"]);
    write_all(io::stderr(), &order["stderr"]);
    if order["hang"] == true {
        io::copy(test, &mut io::sink())?;
    }
    let code = order["code"]
        .as_u64()
        .and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(NOBODY_ANSWERED)))
}

/// A reader that has gone is its own affair, as with any program.
fn write_all(mut to: impl Write, text: &Value) {
    let text = text.as_str().unwrap_or_default();
    drop(to.write_all(text.as_bytes()).and_then(|()| to.flush()));
}
