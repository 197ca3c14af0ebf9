#!/usr/bin/env bash
# Throwaway servers for tests and benchmarks: PostgreSQL and RabbitMQ on free ports of the loopback address.
# Nothing of a server of the system is read or changed. deploy/README.md says more.
set -euo pipefail

readonly LEAST_POSTGRES=15 LEAST_RABBITMQ=3.10
readonly PATIENCE_SECONDS=90
readonly ATTEMPTS=4

usage() {
    cat >&2 <<'TEXT'
usage: deploy/services.sh COMMAND [DIR] …

  up [DIR]               starts both servers and prints where they are, as lines to evaluate
  down [DIR]             ends them and removes their data
  with DIR COMMAND …     runs a command with both; ends what it had to start

  of CRATES COMMAND …    runs a command if the crate that cargo runs it for is among CRATES: a runner of test binaries

One server, with everything it has in DIR (the test crate uses these):
  start-postgres DIR     starts it, again on the same port and data; prints its address
  kill-postgres DIR      ends it and all its processes by SIGKILL, keeps its data
  stop-postgres DIR      ends it and removes DIR
  start-rabbitmq, kill-rabbitmq, stop-rabbitmq DIR
                         with DIR/tls/certificate.pem and key.pem it listens by TLS as well, as DIR/tls/url says
  vhost DIR NAME         makes another virtual host; prints its address
  rabbitmqctl DIR …      runs RabbitMQ's own tool on it

DIR is target/services of this checkout where it may be left out. Servers that PATCHBAY_TEST_POSTGRES_URL or
PATCHBAY_TEST_AMQP_URL name are used as they are: `up` starts nothing in their place.
TEXT
    exit 2
}

say() {
    echo "services: $*" >&2
}

fail() {
    say "$*"
    exit 1
}

# --- What is installed -----------------------------------------------------------------------------------------------

# Where the programs of PostgreSQL are: the newest version that is installed.
postgres_programs() {
    local initdb
    initdb=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb | sort -rV |
        while read -r path; do [[ ! -x $path ]] || { echo "$path" && break; }; done)
    [[ -n $initdb ]] || initdb=$(command -v initdb) || return 1
    dirname "$(readlink -f "$initdb")"
}

# Where the programs of RabbitMQ are. Those that Debian puts on the path refuse every user but root and their own.
rabbitmq_programs() {
    local server
    server=$(printf '%s\n' /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server | sort -rV | head -n 1)
    [[ -x $server ]] || server=$(PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v rabbitmq-server) || return 1
    dirname "$(readlink -f "$server")"
}

# Whether version $1 is at least version $2.
at_least() {
    [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]
}

# Installs what is missing among the arguments (postgres, rabbitmq), and refuses versions that are too old.
need() {
    local packages=() server version
    for server in "$@"; do
        case $server in
        postgres) postgres_programs >/dev/null || packages+=(postgresql) ;;
        rabbitmq) rabbitmq_programs >/dev/null || packages+=(rabbitmq-server) ;;
        esac
    done
    ((${#packages[@]} == 0)) || install_packages "${packages[@]}"
    for server in "$@"; do
        case $server in
        postgres)
            version=$("$(postgres_programs)/postgres" --version | grep -oE '[0-9]+(\.[0-9]+)?' | head -n 1)
            at_least "$version" "$LEAST_POSTGRES" ||
                fail "PostgreSQL $version is too old: install version $LEAST_POSTGRES or later" \
                    "(https://www.postgresql.org/download), or name a server in PATCHBAY_TEST_POSTGRES_URL"
            ;;
        rabbitmq)
            version=$(basename "$(dirname "$(rabbitmq_programs)")" | grep -oE '[0-9]+(\.[0-9]+)+' || echo "$LEAST_RABBITMQ")
            at_least "$version" "$LEAST_RABBITMQ" ||
                fail "RabbitMQ $version is too old: install version $LEAST_RABBITMQ or later" \
                    "(https://www.rabbitmq.com/docs/download), or name a server in PATCHBAY_TEST_AMQP_URL"
            ;;
        esac
    done
}

# Installs packages of Debian or Ubuntu without starting the services that come with them, now or later.
install_packages() {
    local way="install PostgreSQL $LEAST_POSTGRES and RabbitMQ $LEAST_RABBITMQ or later by hand, or name servers in
PATCHBAY_TEST_POSTGRES_URL and PATCHBAY_TEST_AMQP_URL"
    command -v apt-get >/dev/null || fail "missing: $*; this machine has no apt-get: $way"
    local as_root=()
    if [[ $EUID -ne 0 ]]; then
        sudo -n true 2>/dev/null || fail "missing: $*; installing them needs root (\`sudo apt-get install $*\`): $way"
        as_root=(sudo -n)
    fi
    say "installing $*"
    "${as_root[@]}" bash -s -- "$@" >&2 <<'SCRIPT' || fail "can't be installed: $*; $way"
set -euo pipefail
policy=/usr/sbin/policy-rc.d
restore() {
    rm -f "$policy"
    [[ ! -e $policy.kept ]] || mv "$policy.kept" "$policy"
}
[[ ! -e $policy ]] || mv "$policy" "$policy.kept"
trap restore EXIT
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q </dev/null
apt-get install -qy --no-install-recommends "$@" </dev/null
for service in "$@"; do
    systemctl disable "$service" </dev/null >/dev/null 2>&1 || true
done
SCRIPT
}

# --- Processes and ports ---------------------------------------------------------------------------------------------

# Whether the process whose id is in file $1 lives and has $2 in its command line: ids are used again.
lives() {
    local id
    id=$(head -n 1 "$1" 2>/dev/null) && [[ -n $id ]] &&
        tr '\0' ' ' 2>/dev/null <"/proc/$id/cmdline" | grep -qF -- "$2"
}

# Ends processes by SIGKILL, and waits until they are gone.
kill_hard() {
    local id
    kill -KILL "$@" 2>/dev/null || true
    for id in "$@"; do
        while [[ -e /proc/$id && $(awk '/^State:/ { print $2 }' "/proc/$id/status" 2>/dev/null) != [ZX] ]]; do
            sleep 0.02
        done
    done
}

# The ids of the children of a process, and of theirs.
descendants() {
    local id
    for id in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
        echo "$id"
        descendants "$id"
    done
}

# Prints a port that nobody listens on: below those that the system hands out by itself.
free_port() {
    local port
    while true; do
        port=$((15000 + (RANDOM * 32768 + RANDOM) % 17000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

random_hex() {
    od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'
}

# --- PostgreSQL ------------------------------------------------------------------------------------------------------

# Runs a program of PostgreSQL, which refuses root, with an empty environment, far from directories it can't enter.
as_postgres() {
    local user=()
    if [[ $EUID -eq 0 ]]; then
        command -v setpriv >/dev/null || fail "setpriv is missing: install util-linux, or don't run this as root"
        user=(setpriv --reuid "$(postgres_user)" --regid "$(id -g "$(postgres_user)")" --clear-groups --)
    fi
    (cd / && env -i PATH="$PATH" LC_ALL=C HOME=/nonexistent "${user[@]}" "$@")
}

postgres_user() {
    id -un postgres 2>/dev/null || echo nobody
}

# Makes the folder of the data: in DIR, or beside it with a link in DIR where the server's user can't get there.
make_postgres_home() {
    local dir=$1 home=$1/home
    [[ ! -d $home ]] || return 0
    mkdir "$home"
    [[ $EUID -eq 0 ]] || return 0
    if ! as_postgres test -x "$home"; then
        rmdir "$home"
        home=$(mktemp -d /var/tmp/patchbay-postgres.XXXXXXXX)
        ln -s "$home" "$dir/home"
    fi
    chown "$(postgres_user)" "$home"
}

init_postgres() {
    local data=$1 programs=$2
    say "PostgreSQL is set up"
    as_postgres "$programs/initdb" --pgdata "$data" --username patchbay --auth trust --encoding UTF8 --locale C \
        --no-sync --no-instructions >/dev/null
    cat >>"$data/postgresql.conf" <<'TEXT'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
shared_buffers = 256MB
fsync = on
synchronous_commit = on
log_checkpoints = off
TEXT
    # Members of `with_password`, a role that a test may make, must give theirs.
    cat >"$data/pg_hba.conf" <<'TEXT'
host all +with_password 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
TEXT
}

postgres_lives() {
    lives "$1/home/data/postmaster.pid" "$(readlink -f "$1/home")/data"
}

start_postgres() {
    local dir=$1 programs data fresh=
    postgres_lives "$dir" && cat "$dir/url" && return
    programs=$(postgres_programs)
    mkdir -p "$dir"
    dir=$(readlink -f "$dir")
    make_postgres_home "$dir"
    data=$(readlink -f "$dir/home")/data
    [[ -f $data/PG_VERSION ]] || init_postgres "$data" "$programs"
    [[ -f $dir/url ]] || fresh=yes
    local attempt port
    for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
        port=$(if [[ $fresh ]]; then free_port; else cat "$dir/port"; fi)
        if as_postgres "$programs/pg_ctl" start --pgdata "$data" --log "$data/../log" --options "-p $port" \
            --wait --timeout "$PATIENCE_SECONDS" </dev/null >/dev/null 2>&1; then
            echo "$port" >"$dir/port"
            echo "postgres://patchbay@127.0.0.1:$port/postgres" >"$dir/url"
            say "PostgreSQL listens on port $port"
            cat "$dir/url"
            return
        fi
    done
    tail -n 20 "$data/../log" >&2
    fail "PostgreSQL does not start"
}

kill_postgres() {
    local dir=$1 id
    postgres_lives "$dir" || return 0
    id=$(head -n 1 "$dir/home/data/postmaster.pid")
    # Held first, so that it starts no more children meanwhile.
    kill -STOP "$id"
    # shellcheck disable=SC2046
    kill_hard "$id" $(descendants "$id")
    # Where nobody buries the dead, its id would still look alive to its successor.
    rm -f "$dir/home/data/postmaster.pid"
}

stop_postgres() {
    local dir=$1
    [[ -d $dir ]] || return 0
    kill_postgres "$dir"
    [[ ! -L $dir/home ]] || rm -rf -- "$(readlink -f "$dir/home")"
    rm -rf -- "$dir"
}

# --- RabbitMQ --------------------------------------------------------------------------------------------------------

# The words before a program of RabbitMQ that make it one for the server in DIR, with nothing of the system's settings.
# They are given back in RABBITMQ_SETTINGS: the server must be started by the shell itself, so that its id is known and
# no shell waits for it.
rabbitmq_settings() {
    local dir=$1 amqp epmd distribution
    read -r amqp epmd distribution <"$dir/ports"
    RABBITMQ_SETTINGS=(
        env -i PATH="$PATH:/usr/sbin" LC_ALL=C.UTF-8 HOME="$dir/home"
        ERL_EPMD_PORT="$epmd" ERL_EPMD_ADDRESS=127.0.0.1
        RABBITMQ_CONF_ENV_FILE="$dir/settings/environment"
        RABBITMQ_CONFIG_FILE="$dir/settings/rabbitmq.conf" RABBITMQ_CONFIG_FILES="$dir/settings/none/*.conf"
        RABBITMQ_ADVANCED_CONFIG_FILE="$dir/settings/advanced.config"
        RABBITMQ_ENABLED_PLUGINS_FILE="$dir/settings/enabled_plugins"
        RABBITMQ_NODENAME="patchbay-$amqp@localhost" RABBITMQ_DIST_PORT="$distribution"
        RABBITMQ_MNESIA_BASE="$dir/data" RABBITMQ_LOG_BASE="$dir/log"
        RABBITMQ_CTL_DIST_PORT_MIN=0 RABBITMQ_CTL_DIST_PORT_MAX=0
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2 +A 16 -kernel inet_dist_use_interface {127,0,0,1}"
        # The virtual machine then replaces the script that starts it.
        RUNNING_UNDER_SYSTEMD=true
    )
}

init_rabbitmq() {
    local dir=$1
    say "RabbitMQ is set up"
    mkdir -p "$dir"/{home,settings,data,log}
    chmod 700 "$dir"
    random_hex 20 >"$dir/home/.erlang.cookie"
    chmod 400 "$dir/home/.erlang.cookie"
    random_hex 16 >"$dir/password"
    touch "$dir/settings/environment"
    echo '[].' | tee "$dir/settings/advanced.config" >"$dir/settings/enabled_plugins"
}

# Chooses ports (AMQP, port mapper, distribution), of which the data keeps the first in its node's name.
place_rabbitmq() {
    local dir=$1 amqp
    amqp=$(free_port)
    echo "$amqp $(free_port) $(free_port)" >"$dir/ports"
    cat >"$dir/settings/rabbitmq.conf" <<TEXT
listeners.tcp.local = 127.0.0.1:$amqp
load_definitions = $dir/settings/definitions.json
TEXT
    [[ ! -d $dir/tls ]] || place_tls "$dir"
    # Queues of tests that are over must not pile up: thousands of them make everything slow.
    cat >"$dir/settings/definitions.json" <<TEXT
{
  "vhosts": [{ "name": "patchbay" }],
  "users": [{ "name": "patchbay", "password": "$(cat "$dir/password")", "tags": ["administrator"] }],
  "permissions": [{ "user": "patchbay", "vhost": "patchbay", "configure": ".*", "write": ".*", "read": ".*" }],
  "policies": [{ "vhost": "patchbay", "name": "over", "pattern": "^test-", "apply-to": "queues", "priority": 0,
                 "definition": { "expires": 60000 } }]
}
TEXT
}

# A second listener, by TLS. The certificate may change while the server runs.
place_tls() {
    local dir=$1 port
    port=$(free_port)
    cat >>"$dir/settings/rabbitmq.conf" <<TEXT
listeners.ssl.local = 127.0.0.1:$port
ssl_options.certfile = $dir/tls/certificate.pem
ssl_options.keyfile = $dir/tls/key.pem
ssl_options.verify = verify_none
ssl_options.fail_if_no_peer_cert = false
TEXT
    echo "amqps://patchbay:$(cat "$dir/password")@127.0.0.1:$port/patchbay" >"$dir/tls/url"
}

rabbitmq_lives() {
    lives "$1/pid" "$(readlink -f "$1")/"
}

# Whether it answers the greeting of AMQP 0-9-1, which it does when everything else is up.
rabbitmq_answers() {
    local port=$1
    (
        exec 3<>"/dev/tcp/127.0.0.1/$port"
        printf 'AMQP\0\0\11\1' >&3
        [[ $(timeout 5 head -c 1 <&3) == $'\1' ]]
    ) 2>/dev/null
}

start_port_mapper() {
    local dir=$1 port=$2 epmd
    lives "$dir/epmd.pid" "-port $port" && return
    epmd=$(command -v epmd || ls /usr/lib/erlang/erts-*/bin/epmd 2>/dev/null | tail -n 1) ||
        fail "epmd is missing: it comes with Erlang"
    setsid env -i "$epmd" -address 127.0.0.1 -port "$port" </dev/null >/dev/null 2>&1 &
    echo $! >"$dir/epmd.pid"
}

start_rabbitmq() {
    local dir=$1 programs fresh=
    mkdir -p "$dir"
    dir=$(readlink -f "$dir")
    rabbitmq_lives "$dir" && [[ -f $dir/url ]] && cat "$dir/url" && return
    programs=$(rabbitmq_programs)
    [[ -d $dir/settings ]] || init_rabbitmq "$dir"
    [[ -f $dir/url ]] || fresh=yes
    # More is only a larger table, and some containers allow a thousand million.
    ulimit -Sn 65536 2>/dev/null || true
    local attempt amqp epmd
    for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
        if [[ $fresh ]]; then
            rm -rf "$dir"/data/*
            place_rabbitmq "$dir"
        fi
        read -r amqp epmd _ <"$dir/ports"
        start_port_mapper "$dir" "$epmd"
        rabbitmq_settings "$dir"
        # The last words only mark the process as this server's.
        "${RABBITMQ_SETTINGS[@]}" setsid "$programs/rabbitmq-server" -patchbay "$dir/" \
            </dev/null >>"$dir/log/output" 2>&1 &
        echo $! >"$dir/pid"
        if wait_for_rabbitmq "$dir" "$amqp"; then
            echo "amqp://patchbay:$(cat "$dir/password")@127.0.0.1:$amqp/patchbay" >"$dir/url"
            say "RabbitMQ listens on port $amqp"
            cat "$dir/url"
            return
        fi
        kill_rabbitmq "$dir"
    done
    tail -n 20 "$dir"/log/* >&2
    fail "RabbitMQ does not start"
}

wait_for_rabbitmq() {
    local dir=$1 port=$2 until=$((SECONDS + PATIENCE_SECONDS)) id
    id=$(cat "$dir/pid")
    while ((SECONDS < until)) && kill -0 "$id" 2>/dev/null; do
        rabbitmq_answers "$port" && return
        sleep 0.1
    done
    return 1
}

kill_rabbitmq() {
    local dir=$1 id
    if rabbitmq_lives "$dir"; then
        id=$(cat "$dir/pid")
        # shellcheck disable=SC2046
        kill_hard "$id" $(descendants "$id")
    fi
    if lives "$dir/epmd.pid" "-port"; then
        kill_hard "$(cat "$dir/epmd.pid")"
    fi
}

stop_rabbitmq() {
    local dir=$1
    [[ -d $dir ]] || return 0
    kill_rabbitmq "$dir"
    rm -rf -- "$dir"
}

control_rabbitmq() {
    local dir
    dir=$(readlink -f "$1")
    shift
    rabbitmq_lives "$dir" || fail "no RabbitMQ runs in $dir"
    rabbitmq_settings "$dir"
    "${RABBITMQ_SETTINGS[@]}" "$(rabbitmq_programs)/rabbitmqctl" --quiet "$@"
}

make_vhost() {
    control_rabbitmq "$1" add_vhost "$2" >&2
    control_rabbitmq "$1" set_permissions --vhost "$2" patchbay '.*' '.*' '.*' >&2
    sed "s|[^/]*$|$2|" "$1/url"
}

# --- Both ------------------------------------------------------------------------------------------------------------

# Starts what is not given, both at once, and prints the lines to evaluate.
up() {
    local dir=$1 postgres=${PATCHBAY_TEST_POSTGRES_URL:-} amqp=${PATCHBAY_TEST_AMQP_URL:-}
    local needed=() jobs=() job failed=
    [[ $postgres ]] || needed+=(postgres)
    [[ $amqp ]] || needed+=(rabbitmq)
    need "${needed[@]}"
    for server in "${needed[@]}"; do
        ("start_$server" "$dir/$server" >/dev/null) &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do
        wait "$job" || failed=yes
    done
    [[ ! $failed ]] || fail "not all services could be started"
    write_environment "$dir"
    [[ $postgres ]] || postgres=$(cat "$dir/postgres/url")
    [[ $amqp ]] || amqp=$(cat "$dir/rabbitmq/url")
    echo "export PATCHBAY_TEST_POSTGRES_URL='$postgres'"
    echo "export PATCHBAY_TEST_AMQP_URL='$amqp'"
}

# Writes down where the servers in DIR are, for tests that are run without the lines. Those that were given from outside
# are not among them: they are for whoever gave them.
write_environment() {
    local dir=$1
    (
        # There is a password in it.
        umask 077
        [[ ! -f $dir/postgres/url ]] || echo "export PATCHBAY_TEST_POSTGRES_URL='$(cat "$dir/postgres/url")'"
        [[ ! -f $dir/rabbitmq/url ]] || echo "export PATCHBAY_TEST_AMQP_URL='$(cat "$dir/rabbitmq/url")'"
    ) >"$dir/environment.new"
    mv "$dir/environment.new" "$dir/environment"
}

down() {
    local dir=$1
    stop_postgres "$dir/postgres" &
    stop_rabbitmq "$dir/rabbitmq"
    stop_private "$dir"
    wait $!
    rm -f "$dir/environment"
}

# Ends what tests started for themselves and did not end.
stop_private() {
    local server
    for server in "$1"/private/*; do
        case ${server##*/} in
        postgres-*) stop_postgres "$server" ;;
        rabbitmq-*) stop_rabbitmq "$server" ;;
        esac
    done
}

# Runs one of the above while nobody else does. The servers that it starts must not inherit the lock.
alone() {
    local command=$1 dir=$2
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    (
        flock 9
        "$command" "$dir" 9>&-
    ) 9>"$dir/lock"
}

# Runs a command with the services, and ends those that were not up before.
with() {
    local dir=$1 lines
    shift
    WITH_ENDS=()
    postgres_lives "$dir/postgres" || WITH_ENDS+=(postgres)
    rabbitmq_lives "$dir/rabbitmq" || WITH_ENDS+=(rabbitmq)
    WITH_DIR=$dir
    trap end_services EXIT
    trap 'exit 130' INT TERM HUP
    lines=$(alone up "$dir")
    eval "$lines"
    "$@"
}

end_services() {
    local server
    for server in "${WITH_ENDS[@]}"; do
        "stop_$server" "$WITH_DIR/$server"
    done
    ((${#WITH_ENDS[@]} < 2)) || stop_private "$WITH_DIR"
    [[ ! -d $WITH_DIR ]] || write_environment "$WITH_DIR"
}

[[ $(uname) == Linux ]] || fail "this script knows Linux only: name servers in PATCHBAY_TEST_POSTGRES_URL and PATCHBAY_TEST_AMQP_URL"

command=${1:-}
directory=${2:-$(dirname "${BASH_SOURCE[0]}")/../target/services}
case $command in
up | down) alone "$command" "$directory" ;;
of) (($# >= 3)) || usage && [[ " $2 " != *" ${CARGO_PKG_NAME:-} "* ]] || exec "${@:3}" ;;
with) (($# >= 3)) || usage && shift 2 && with "$directory" "$@" ;;
start-postgres | kill-postgres | stop-postgres | start-rabbitmq | kill-rabbitmq | stop-rabbitmq)
    (($# == 2)) || usage
    [[ $command != start-* ]] || need "${command#start-}"
    "${command/-/_}" "$directory"
    ;;
rabbitmqctl) (($# >= 3)) || usage && shift 2 && control_rabbitmq "$directory" "$@" ;;
vhost) (($# == 3)) || usage && make_vhost "$directory" "$3" ;;
*) usage ;;
esac
