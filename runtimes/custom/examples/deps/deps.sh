# What a function needs lies beside it. The file is loaded in its own folder.
. ./greeting.sh

deps() {
	echo "$(greeting_for "$(query lang)") world"
}
