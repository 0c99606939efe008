#!/bin/sh
### BEGIN INIT INFO
# Provides:          stub
# Required-Start:    $remote_fs $syslog
# Required-Stop:     $remote_fs $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Write down how this script is called
### END INIT INFO
echo "$1 ${PREVLEVEL:-?} ${RUNLEVEL:-?}" >>/var/lib/stub
