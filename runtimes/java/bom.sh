#!/bin/sh
# Lists the jars in KUBELESS_INSTALL_VOLUME/lib: Maven's by their Maven names, others by their file
# names.
set -eu

lib=$KUBELESS_INSTALL_VOLUME/lib
names=$lib/dependencies.txt
[ -f "$names" ] || names=/dev/null
for jar in "$lib"/*.jar; do
	[ -f "$jar" ] || continue
	sum=$(sha256sum "$jar")
	# group:artifact:type[:classifier]:version:scope, and the file is
	# group.artifact-version[-classifier].type
	FILE=$(basename "$jar") SUM=${sum%% *} awk '
		{
			sub(/^ +/, "")
			sub(/ .*/, "")
			count = split($0, part, ":")
			if (count < 5) next
			version = part[count - 1]
			classifier = count == 6 ? part[4] : ""
			file = part[1] "." part[2] "-" version (classifier == "" ? "" : "-" classifier) ".jar"
			if (file != ENVIRON["FILE"]) next
			purl = "pkg:maven/" part[1] "/" part[2] "@" version (classifier == "" ? "" : "?classifier=" classifier)
			printf "%s\t%s\t%s\t%s\t\tSHA-256:%s\n", part[1], part[2], version, purl, ENVIRON["SUM"]
			found = 1
			exit
		}
		END { if (!found) printf "\t%s\t\t\t\tSHA-256:%s\n", ENVIRON["FILE"], ENVIRON["SUM"] }
	' "$names"
done
