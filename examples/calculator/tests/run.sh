#!/bin/sh
# Tests the program given, and writes report.xml.
program=$1
failures=0
cases=""
while IFS='|' read -r expression wanted; do
    [ -n "$expression" ] || continue
    found=$("$program" "$expression" 2>&1)
    if [ "$found" = "$wanted" ]; then
        cases="$cases<testcase classname=\"calculator\" name=\"$expression\"/>"
    else
        failures=$((failures + 1))
        echo "$expression gives $found, not $wanted"
        cases="$cases<testcase classname=\"calculator\" name=\"$expression\"><failure message=\"$found\"/></testcase>"
    fi
done < "$(dirname "$0")/cases.txt"
echo "<testsuite name=\"calculator\">$cases</testsuite>" > report.xml
[ "$failures" = 0 ]
