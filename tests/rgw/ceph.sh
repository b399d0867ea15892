#!/bin/sh
# A Ceph cluster of one machine with its S3 gateway on loopback, for the storage tests.
#
#   sh tests/rgw/ceph.sh install           Debian's packages (about 290 MB, as root)
#   sh tests/rgw/ceph.sh start FOLDER      up in about 15 s; writes FOLDER/s3.env
#   sh tests/rgw/ceph.sh stop FOLDER       ends what start began, and removes FOLDER
#
# Ports follow S3_TEST_PORT (default 7480): the gateway's, and two after it for the monitor.
set -eu

action=${1:?install, start or stop}
PORT=${S3_TEST_PORT:-7480}
ACCESS_KEY=screenalytics
SECRET_KEY=only-for-tests-on-loopback

install() {
    if command -v radosgw ceph-mon ceph-osd ceph >/dev/null; then
        return
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        ceph-mon ceph-osd ceph-mgr ceph-common radosgw
}

write_conf() {
    cat >"$folder/ceph.conf" <<CONF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon_initial_members = a
mon_host = [v2:127.0.0.1:$((PORT + 1)),v1:127.0.0.1:$((PORT + 2))]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
# The gateway wants encryption by default, which there is none of without keys.
ms_mon_client_mode = crc
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_max_pg_per_osd = 1000
mon_data_avail_crit = 1
osd_crush_chooseleaf_type = 0
osd_objectstore = bluestore
bluestore_block_size = 10737418240
bluestore_cache_autotune = false
bluestore_cache_size = 134217728
osd_memory_target = 939524096
run_dir = $folder/run
admin_socket = $folder/run/\$name.\$pid.asok
log_file = $folder/log/\$name.log
mon_data = $folder/mon
osd_data = $folder/osd
mgr_data = $folder/mgr
rgw_data = $folder/rgw
keyring = $folder/keyring
rgw_dns_name = 127.0.0.1
rgw_enable_usage_log = false
rgw_enable_ops_log = false
CONF
}

begin() {
    # Each stays in the foreground of its own background job, so that its pid is known.
    name=$1
    shift
    nohup "$@" >"$folder/log/$name.out" 2>&1 &
    echo $! >>"$folder/pids"
}

wait_for() {
    what=$1
    shift
    for _ in $(seq 120); do
        if "$@" >/dev/null 2>&1; then
            return
        fi
        sleep 0.5
    done
    echo "ceph: $what did not come up; see $folder/log" >&2
    exit 1
}

answers() {
    "${PYTHON:-python3}" -c "import sys, urllib.request as r; r.urlopen(sys.argv[1], timeout=2)" \
        "http://127.0.0.1:$PORT"
}

start() {
    mkdir -p "$folder/run" "$folder/log" "$folder/mon" "$folder/osd" "$folder/mgr" "$folder/rgw"
    : >"$folder/keyring"
    write_conf
    conf="-c $folder/ceph.conf"
    fsid=$(sed -n 's/^fsid = //p' "$folder/ceph.conf")
    monmaptool --create --fsid "$fsid" --clobber \
        --addv a "[v2:127.0.0.1:$((PORT + 1)),v1:127.0.0.1:$((PORT + 2))]" "$folder/monmap" >/dev/null
    ceph-mon $conf -i a --mkfs --monmap "$folder/monmap"
    begin mon ceph-mon $conf -i a -f
    wait_for "the monitor" ceph $conf --connect-timeout 2 -s
    ceph $conf osd create >/dev/null
    ceph-osd $conf -i 0 --mkfs >"$folder/log/mkfs.out" 2>&1
    begin osd ceph-osd $conf -i 0 -f
    wait_for "the disk" sh -c "ceph $conf osd stat | grep -q '1 up'"
    begin rgw radosgw $conf -n client.rgw -f --rgw-frontends "beast endpoint=127.0.0.1:$PORT tcp_nodelay=1"
    wait_for "the gateway" answers
    radosgw-admin $conf -n client.rgw user create --uid tests --display-name tests \
        --access-key $ACCESS_KEY --secret-key $SECRET_KEY >"$folder/log/user.out"
    cat >"$folder/s3.env" <<ENV
S3_TEST_ENDPOINT=http://127.0.0.1:$PORT
S3_TEST_ACCESS_KEY=$ACCESS_KEY
S3_TEST_SECRET_KEY=$SECRET_KEY
ENV
    echo "Ceph's S3 gateway is at http://127.0.0.1:$PORT; settings in $folder/s3.env"
}

stop() {
    if [ -f "$folder/pids" ]; then
        # The gateway first: without its cluster it would wait for minutes.
        for pid in $(sed '1!G;h;$!d' "$folder/pids"); do
            kill "$pid" 2>/dev/null || continue
            for _ in $(seq 20); do
                kill -0 "$pid" 2>/dev/null || break
                sleep 0.25
            done
            kill -9 "$pid" 2>/dev/null || true
        done
        rm -rf "$folder"
    fi
}

case $action in
    install) install ;;
    start | stop)
        folder=${2:?the folder}
        mkdir -p "$folder"
        folder=$(cd "$folder" && pwd)
        "$action"
        ;;
    *)
        echo "ceph.sh install | start FOLDER | stop FOLDER" >&2
        exit 2
        ;;
esac
