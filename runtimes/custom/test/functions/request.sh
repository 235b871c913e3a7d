h() {
	printf '{"data":%s,"type":%s,"body":%s,"length":"%s"}' "$(json "$1/data")" "$(header content-type | tr -d '\n' | json)" "$(json "$1/extensions/request/body")" "$(header content-length)"
}
