# The stand-ins and their names. bases.mjs sets the contexts `program`, a folder with bin/node and
# npm, and `toolchain`, with the script that installs .NET.
variable "CERTIFICATES" {
	default = "/etc/ssl/certs"
}

group "default" {
	targets = ["node", "python", "ruby", "php", "composer", "golang", "jre", "maven", "rust", "dotnet-aspnet", "dotnet-sdk"]
}
target "_all" {
	contexts = { certificates = CERTIFICATES }
}
target "node" {
	inherits = ["_all"]
	target = "node"
	tags = ["node:24.21.0-bookworm-slim", "node:24-bookworm-slim", "node:24-bookworm"]
}
target "python" {
	inherits = ["_all"]
	target = "python"
	tags = ["python:3.11-slim-bookworm", "python:3.11-bookworm"]
}
target "ruby" {
	inherits = ["_all"]
	target = "ruby"
	tags = ["ruby:3.1-slim-bookworm", "ruby:3.1-bookworm"]
}
target "php" {
	inherits = ["_all"]
	target = "php"
	tags = ["php:8.2-cli-bookworm"]
}
target "composer" {
	inherits = ["_all"]
	target = "composer"
	tags = ["composer:2"]
}
target "golang" {
	inherits = ["_all"]
	target = "golang"
	args = { GO = "1.26.8" }
	tags = ["golang:1.26-bookworm"]
}
target "jre" {
	inherits = ["_all"]
	target = "jre"
	tags = ["eclipse-temurin:17-jre-noble"]
}
target "maven" {
	inherits = ["_all"]
	target = "maven"
	tags = ["maven:3.9-eclipse-temurin-17-noble"]
}
target "rust" {
	inherits = ["_all"]
	target = "rust"
	tags = ["rust:1-bookworm"]
}
target "dotnet-aspnet" {
	inherits = ["_all"]
	target = "dotnet-aspnet"
	tags = ["mcr.microsoft.com/dotnet/aspnet:3.1-bullseye-slim"]
}
target "dotnet-sdk" {
	inherits = ["_all"]
	target = "dotnet-sdk"
	tags = ["mcr.microsoft.com/dotnet/sdk:3.1-bullseye"]
}
