#!/bin/sh
# Writes the metrics of all channels for a textfile collector, such as that of the Prometheus node exporter.
# Usage: shm-handoff-textfile.sh FOLDER
#
# The collector reads FOLDER/*.prom at any moment. So the file is written under another name and then renamed; where
# shm-handoff fails, the last file stays, and its age tells (node_textfile_mtime_seconds).
#
# The folder can belong to a user that this script does not run as. So no link that somebody has put there is followed:
# the file is made anew (-C) with the mode that it keeps, and mv -T renames it over a link and into no folder.
set -euC
folder=${1:?usage: shm-handoff-textfile.sh FOLDER}
umask 022
new=$(mktemp -u "$folder/.shm-handoff.XXXXXX")
trap 'rm -f "$new"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
shm-handoff stat --all --metrics >"$new"
mv -fT "$new" "$folder/shm-handoff.prom"
