#!/bin/sh
# Before the package goes, no user's systemd keeps a socket for a daemon that is no more. An upgrade changes nothing:
# the old daemon goes on until its user restarts it. dpkg says "remove" or "upgrade", rpm counts the packages that
# stay, pacman gives the version and runs this at a removal only.
case "$1" in
upgrade | deconfigure | failed-upgrade | 1) exit 0 ;;
esac
[ -d /run/systemd/system ] || exit 0
systemctl --global disable tcred.socket tcred.service >/dev/null 2>&1 || :
for dir in /run/user/*; do
	[ -S "$dir/systemd/private" ] || continue
	systemctl --user --machine="${dir##*/}@" stop tcred.socket tcred.service >/dev/null 2>&1 || :
done
