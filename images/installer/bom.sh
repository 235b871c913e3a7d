# shellcheck shell=sh disable=SC2034,SC2154
# Writes .kubeless/bom.cdx.json, a CycloneDX list of the installed packages. The runtime's bom.sh
# prints the packages in the volume, one a line: group, name, version, purl, licence and hash
# (SHA-512:hex), separated by tabs.

write_bom() {
	: >"$scratch/components"
	if [ -f "$runtime/bom.sh" ]; then
		KUBELESS_INSTALL_VOLUME=$volume KUBELESS_DEPS_FILE=$deps sh "$runtime/bom.sh" >"$scratch/components" 2>"$scratch/output" </dev/null || {
			hide <"$scratch/output" >&2
			echo 'Cannot list the installed packages: bom.cdx.json is not written.' >&2
			return 0
		}
	fi
	# No timestamp and no serial number: equal packages give an equal file.
	LC_ALL=C sort -u "$scratch/components" | ID=$id VERSION=${KUBELESS_RUNTIME_VERSION:-} PHASE=$phase awk -F '\t' '
		function text(value, parts, count, i, quoted) {
			gsub(/[\001-\037]/, " ", value)
			gsub(/\\/, "&&", value)
			count = split(value, parts, /"/)
			for (i = 1; i <= count; i++) quoted = quoted (i > 1 ? "\\\"" : "") parts[i]
			return "\"" quoted "\""
		}
		BEGIN {
			printf "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"version\":1,\"metadata\":{"
			printf "\"tools\":{\"components\":[{\"type\":\"application\",\"name\":\"kubeless-%s\"}]},", ENVIRON["PHASE"]
			printf "\"component\":{\"type\":\"application\",\"bom-ref\":\"function\",\"name\":\"function\"},"
			printf "\"properties\":[{\"name\":\"kubeless:runtime\",\"value\":%s}]},\"components\":[", text(ENVIRON["ID"] ENVIRON["VERSION"])
		}
		$2 != "" {
			ref = $4 != "" ? $4 : $2 "@" $3
			while (ref in seen) ref = ref "#"
			seen[ref]
			printf "%s\n{\"type\":\"library\",\"bom-ref\":%s", count++ ? "," : "", text(ref)
			if ($1 != "") printf ",\"group\":%s", text($1)
			printf ",\"name\":%s", text($2)
			if ($3 != "") printf ",\"version\":%s", text($3)
			if ($6 != "") printf ",\"hashes\":[{\"alg\":%s,\"content\":%s}]", text(substr($6, 1, index($6, ":") - 1)), text(substr($6, index($6, ":") + 1))
			if ($5 != "") printf ",\"licenses\":[{\"license\":{\"name\":%s}}]", text($5)
			if ($4 != "") printf ",\"purl\":%s", text($4)
			printf "}"
		}
		END { print "]}" }
	' >"$state/bom.new" && mv "$state/bom.new" "$state/bom.cdx.json"
}
