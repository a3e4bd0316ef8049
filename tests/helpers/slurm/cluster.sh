#!/usr/bin/env bash
# A Slurm cluster of one node on this machine, for tests.
#
#   cluster.sh check           says what is missing, if anything (exit 3)
#   cluster.sh install         apt-get install slurm-wlm munge (Debian and its children, as root)
#   cluster.sh start FOLDER    starts munged, slurmctld and slurmd; all their files are in FOLDER
#   cluster.sh stop FOLDER     ends them
#
# After `start`, `export SLURM_CONF=FOLDER/slurm.conf PATH=FOLDER/bin:$PATH` makes sbatch and the
# others talk to it. Only `install` needs root: the daemons belong to whoever starts them, listen
# on free ports and read nothing from /etc, so a Slurm of the machine's own is not touched.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
DAEMONS=(munged slurmctld slurmd)

check() {
    local missing=()
    [[ $(uname) == Linux ]] || { echo "Slurm's daemons are tried on Linux only"; exit 3; }
    for name in "${DAEMONS[@]}" mungekey sbatch srun squeue scontrol; do
        command -v "$name" >/dev/null || missing+=("$name")
    done
    [[ ${#missing[@]} == 0 ]] || {
        echo "not installed: ${missing[*]} (as root: tests/helpers/slurm/cluster.sh install)"
        exit 3
    }
}

install() {
    command -v apt-get >/dev/null || { echo "no apt-get here: install Slurm and munge"; exit 3; }
    [[ $(id -u) == 0 ]] || { echo "apt-get needs root"; exit 3; }
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -q -y --no-install-recommends slurm-wlm munge
}

free_ports() {
    python3 - <<'PYTHON'
import socket

sockets = [socket.socket() for _ in range(2)]
for one in sockets:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in sockets))
PYTHON
}

configure() {
    local folder=$1 host user ports
    host=$(hostname -s)
    user=$(id -un)
    read -r -a ports < <(free_ports)
    # Whatever the machine has, the node says 2 CPUs and 32 GB (config_overrides). Memory is polled
    # and a job above its request is killed: cgroups, which would do it too, need root.
    cat >"$folder/slurm.conf" <<CONF
ClusterName=mlindex_test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${ports[0]}
SlurmdPort=${ports[1]}
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=300
SchedulerParameters=sched_interval=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 RealMemory=32000 State=UNKNOWN
PartitionName=short Nodes=$host Default=YES MaxTime=1-0 State=UP
CONF
}

# Snakemake's Slurm plugin hands srun an environment without SLURM_CONF.
wrap_srun() {
    mkdir -p "$1/bin"
    printf '#!/bin/sh\nSLURM_CONF=%q exec %q "$@"\n' "$1/slurm.conf" "$(command -v srun)" \
        >"$1/bin/srun"
    chmod +x "$1/bin/srun"
}

start() {
    check
    mkdir -p "$1"
    local folder
    folder=$(cd "$1" && pwd)
    mkdir -p -m 755 "$folder" "$folder/state" "$folder/spool"
    configure "$folder"
    wrap_srun "$folder"
    export SLURM_CONF=$folder/slurm.conf
    [[ -e $folder/munge.key ]] || mungekey --create --keyfile "$folder/munge.key"
    munged --force --key-file "$folder/munge.key" --socket "$folder/munge.socket" \
        --pid-file "$folder/munged.pid" --log-file "$folder/munged.log" \
        --seed-file "$folder/munged.seed"
    slurmctld
    slurmd
    for _ in $(seq 60); do
        [[ $(sinfo -h -o %t 2>/dev/null) == idle ]] && return
        sleep 0.5
    done
    tail -n 5 "$folder"/*.log >&2
    stop "$folder"
    echo "the node did not come up" >&2
    exit 1
}

stop() {
    local pid
    for name in slurmd slurmctld munged; do
        [[ -e $1/$name.pid ]] || continue
        pid=$(cat "$1/$name.pid")
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 20); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.5
        done
    done
}

case "${1:-}" in
    check) check ;;
    install) install ;;
    start) start "${2:?which folder?}" ;;
    stop) stop "${2:?which folder?}" ;;
    *) sed -n '2,10p' "$0"; exit 2 ;;
esac
