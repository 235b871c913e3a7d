"use strict";

// The function of test/chaos, whose README describes it.
const { spawn } = require("child_process");
const { appendFileSync, readdirSync, readlinkSync, writeSync } = require("fs");
const { Readable } = require("stream");

const VERSION = "one";

exports.notes = async ({ data }) => {
	const [id, action, number] = String(data).split("\n", 1)[0].split(" ");
	appendFileSync(`${process.env.FAULTS_NOTES}/${process.pid}`, `${id} ${VERSION}\n`);
	const line = `${id} ${VERSION}\n`;
	switch (action) {
		case "echo":
			return data;
		case "sleep":
			await new Promise((resolve) => setTimeout(resolve, number));
			return line;
		case "stream":
			return Readable.from(Array(Number(number)).fill(line));
		case "raise":
			throw new Error(id);
		case "die":
			process.kill(process.pid, "SIGKILL");
			return line;
		case "hoard":
			return String(new ArrayBuffer(2 ** 50).byteLength);
		case "print":
			writeSync(1, Buffer.alloc(Number(number), '{"\xff\0\n', "latin1"));
			return line;
		case "spawn":
			spawn("sleep", ["30"], { stdio: "ignore" });
			return line;
		case "wire":
			for (const fd of sockets()) writeSync(fd, "no frame\n");
			return line;
		default:
			return line.repeat(number);
	}
};

function sockets() {
	return readdirSync("/proc/self/fd").filter((fd) => {
		try {
			return fd > 2 && readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
		} catch {
			return false; // it was only open for readdir
		}
	});
}
