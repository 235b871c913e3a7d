# shellcheck shell=sh disable=SC2154
# Sourced by package.sh for Ballerina 0.975 to 0.983: a project with the function as its module
# func, Kubeless's types as its module kubeless, and the service. Builds function.balx.

export_java_home || { echo 'Java is not there: install Java 8, or set JAVA_HOME.'; exit 1; }
version=$("$bal" version | sed -n 's/^[^0-9]*\([0-9][0-9.]*\).*/\1/p' | head -n 1)
without=
case $version in
0.975.*) without=timeoutMillis ;; # the listener of that version has no such field
0.98[0-3].*) ;;
*)
	echo "Functions are not compiled with Ballerina $version, whose language differs: use 0.975 to 0.983 (ballerina), or 2201 (bal)."
	exit 1
	;;
esac

while IFS= read -r name; do
	case $name in
	./Ballerina.toml) cp -L "$name" "$package/" ;;
	./*/*) take "$name" "$package/$name" kubeless ;;
	*.bal) take "$name" "$package/func/$name" kubeless ;;
	*) take "$name" "$package/func/$name.bal" kubeless ;; # a function's file may have another suffix
	esac
done <"$scratch/names"
cp -R "$home/older/kubeless" "$package/"
sed -e 1d -e "${without:+/$without/d}" -e "s/HANDLER/$handler/" "$home/older/service.bal" >"$package/kubeless_run.bal"

cd "$package" || exit
if ! "$bal" build kubeless_run.bal >"$scratch/messages" 2>&1; then
	# error: module:0.0.0/hello.bal:3:12: message
	sed -e 's/^error: .*[:/]\([^:/]*\.bal:[0-9]*:[0-9]*\): /\1: ERROR: /' -e '/^Compiling source$/d' -e '/^    [^ ]*\.bal$/d' -e '/^[[:space:]]*$/d' "$scratch/messages"
	exit 1
fi
# In the project's folder or in its folder target, by version.
find . -name kubeless_run.balx -exec mv {} "$scratch/function/function.balx" \;
