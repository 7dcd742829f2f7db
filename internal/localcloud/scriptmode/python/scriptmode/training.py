"""Runs the user's training program to its end."""

import collections
import os
import re
import signal
import subprocess
import sys
import threading

from scriptmode import environment

# A platform shows the first 1,024 characters of the failure; the exception
# itself stands at the end of what a program says, so the end is kept.
KEPT_CHARACTERS = 700
KEPT_LINES = 50

# A program is named by a path inside the source: nothing that a shell or the
# interpreter would read as something else.
PROGRAM = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+-]*(/[A-Za-z0-9._+-]+)*")


class Failure(Exception):
    """Why there is nothing to run; the message is for the user."""


def main():
    """Trains, and returns the program's exit code."""
    job = environment.Training()
    for folder in ("model", "output/data", "output/intermediate", "code"):
        os.makedirs(environment.path(folder), exist_ok=True)
    try:
        return run(job)
    except Failure as e:
        return report(str(e), 1)


def command(program):
    """The command of a program: Python's, or a shell's for any other script."""
    if not PROGRAM.fullmatch(program) or ".." in program.split("/"):
        raise Failure(
            "sagemaker_program is %r: name a script inside the source directory by a relative path of letters, digits,"
            " '.', '_', '+' and '-', such as train.py" % program)
    if not os.path.isfile(environment.path("code", program)):
        raise Failure(
            "sagemaker_program is %r, and the source directory has no such file; it has %s"
            % (program, ", ".join(sorted(os.listdir(environment.path("code")))) or "none at all: set sagemaker_submit_directory"))
    if program.endswith(".py"):
        return [sys.executable, program]
    os.chmod(environment.path("code", program), 0o755)
    return ["/bin/sh", "-c", './%s "$@"' % program, program]


def run(job):
    words = command(job.program) + job.arguments()
    code = environment.path("code")
    variables = dict(os.environ, **job.variables())
    variables.update(
        PYTHONUNBUFFERED="1", PYTHONPATH=os.pathsep.join(filter(None, [code, os.environ.get("PYTHONPATH")])),
        CURRENT_HOST=variables["SM_CURRENT_HOST"],
        SAGEMAKER_JOB_NAME=environment.as_text(job.settings.get("sagemaker_job_name", variables["SM_JOB_NAME"])),
        SAGEMAKER_REGION=environment.as_text(job.settings.get("sagemaker_region", os.environ.get("AWS_REGION"))),
    )
    print("script mode runs:", *words, flush=True)
    child = start(words, cwd=code, env=variables, stderr=subprocess.PIPE)
    last = collections.deque(maxlen=KEPT_LINES)
    reader = threading.Thread(target=copy, args=(child.stderr, last), daemon=True)
    reader.start()
    status = child.wait()
    reader.join(timeout=5)  # a grandchild may keep the pipe open
    if status == 0:
        return 0
    how = "ExitCode %d" % status if status > 0 else "Signal %d" % -status
    message = 'ExecuteUserScriptError:\n%s\nErrorMessage "%s"\nCommand "%s"' % (how, ending(last), " ".join(words))
    return report(message, status if status > 0 else 128 - status)


def start(words, **options):
    """Starts a process that gets the signals that this one gets, each once: its
    own session keeps those to the whole group from it."""
    children, early = [], []
    def forward(number, _):
        for child in children:
            child.send_signal(number)
        if not children:
            early.append(number)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, forward)
    children.append(subprocess.Popen(words, start_new_session=True, **options))
    for number in early:
        children[0].send_signal(number)
    return children[0]


def copy(stream, last):
    """Passes what the program says on, and remembers the last of it."""
    for line in stream:
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
        last.append(line.decode("utf-8", "replace"))


def ending(lines):
    """The last traceback in lines, or else their end, cut from its beginning."""
    lines = list(lines)
    begins = [i for i, line in enumerate(lines) if line.startswith("Traceback ")]
    text = "".join(lines[begins[-1] + 1 if begins else 0:]).strip()
    return text[-KEPT_CHARACTERS:]


def report(message, code):
    """Leaves the reason of a failure where the platform looks for it."""
    os.makedirs(environment.path("output"), exist_ok=True)
    with open(environment.path("output", "failure"), "w", encoding="utf-8") as f:
        f.write(message)
    print(message, file=sys.stderr, flush=True)
    return code
