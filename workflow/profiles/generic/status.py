#!/usr/bin/env python3
"""What became of a cluster job: `status.py slurm|pbs|sge|lsf JOBID` prints what Snakemake asks for.

That is success, failed or running. A scheduler that gives no answer leaves a job running; one that
no longer knows it lets it fail, so that it is sent again rather than waited for without end. Only
the standard library is used: the login node's python3 runs this.
"""

import re
import subprocess
import sys

SUCCESS, FAILED, RUNNING = "success", "failed", "running"
_SLURM_ENDS_BADLY = re.compile(
    "BOOT_FAIL|CANCELLED|DEADLINE|FAILED|NODE_FAIL|OUT_OF_MEMORY|PREEMPTED|REVOKED|TIMEOUT"
)
_FORGOTTEN = re.compile(
    r"invalid job id|unknown job|not found|do not exist|no matching|has finished", re.IGNORECASE
)


def ask(*command: str) -> str:
    """Output and complaints of a command; empty where it can't be run or takes too long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr


def field(text: str, name: str) -> str:
    """The first word after a name, with = or blanks between; empty where there is none."""
    found = re.search(rf"^\W*{name}[ \t=]+(\S+)", text, re.MULTILINE)
    return found[1] if found else ""


def unknown(text: str) -> str:
    """For an answer that does not tell the state."""
    return FAILED if _FORGOTTEN.search(text) else RUNNING


def slurm(job: str) -> str:
    """Slurm, with or without accounting: the controller forgets a job after some minutes."""
    answer = ask("scontrol", "show", "job", job)
    state = field(answer, "JobState")
    if not state and _FORGOTTEN.search(answer):
        listed = ask("sacct", "-X", "-n", "-P", "-o", "State", "-j", job).split()
        state = listed[0] if listed and listed[0].isupper() else ""
    if not state:
        return unknown(answer)
    if state == "COMPLETED":
        return SUCCESS
    return FAILED if _SLURM_ENDS_BADLY.match(state) else RUNNING


def pbs(job: str) -> str:
    """PBS Pro and OpenPBS; Torque knows no -x and gets a second question."""
    answer = ask("qstat", "-x", "-f", job)
    if not field(answer, "job_state"):
        answer = ask("qstat", "-f", job)
    state = field(answer, "job_state")
    if not state:
        return unknown(answer)
    if state not in ("F", "C"):
        return RUNNING
    return SUCCESS if field(answer, "(?i:exit_status)") == "0" else FAILED


def sge(job: str) -> str:
    """Grid Engine: jobs that have ended are in the accounting file, some seconds later."""
    answer = ask("qstat", "-j", job)
    if field(answer, "job_number:"):
        return RUNNING
    if not _FORGOTTEN.search(answer):
        return RUNNING
    account = ask("qacct", "-j", job)
    if not field(account, "exit_status"):
        return unknown(account)
    ended = field(account, "failed"), field(account, "exit_status")
    return SUCCESS if ended == ("0", "0") else FAILED


def lsf(job: str) -> str:
    """LSF."""
    answer = ask("bjobs", "-noheader", "-o", "stat", job)
    state = answer.split()[0] if answer.split() else ""
    if state == "DONE":
        return SUCCESS
    return FAILED if state == "EXIT" else unknown(answer)


def main(scheduler: str, job: str) -> None:
    """Print the state of a job."""
    print({"slurm": slurm, "pbs": pbs, "sge": sge, "lsf": lsf}[scheduler](job))


if __name__ == "__main__":
    main(*sys.argv[1:])
