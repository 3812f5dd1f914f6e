// bench.mjs: the words and sums of bench.sh.
//   line ROW      one run's figures in a line
//   good          exit code 0 where a run kept the limits of "calls a core"
//   table FOLDER  the median of each row
//   archives      what jedel evidence verify said of each archive
import { existsSync, readFileSync } from "node:fs";

const [verb, what] = process.argv.slice(2);
const median = (all) => { const s = [...all].sort((a, b) => a - b); return s[Math.floor(s.length / 2)]; };
const perCall = (r) => (r.residentMiBTalking - r.residentMiBBefore) / Math.max(r.answered, 1);
const goodRun = (r) => r.answered === r.calls && r.latency.p99 < 50 && r.loss < 0.005;
const runs = (file) => existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean).map((l) => JSON.parse(l)) : [];

if (verb === "line") {
	const r = JSON.parse(readFileSync(0, "utf8"));
	console.log(`${what.padEnd(6)} ${String(r.answered).padStart(3)}/${r.calls} calls  ${r.sentPerSecond.toFixed(0).padStart(6)} packets/s  ${r.cpuMicrosPerPacket.toFixed(1).padStart(5)} µs each  gateway ${(100 * r.cpuShare).toFixed(0)} %, generator ${(100 * r.ownCpuShare).toFixed(0)} % of a core` +
		`  p50 ${r.latency.p50.toFixed(2)} p99 ${r.latency.p99.toFixed(2)} ms  lost ${(100 * r.loss).toFixed(3)} %  ${perCall(r).toFixed(2)} MiB a call  set-up p95 ${r.setUp.p95.toFixed(0)} ms (sound ${r.setUpSound.p95.toFixed(0)}, rings ${r.stages.tapToRinging.p95.toFixed(0)}, answer ${r.stages.answerToConfirmed.p95.toFixed(0)}, first packet ${r.stages.firstSentToThere.p95.toFixed(0)})` +
		(r.ownLate || r.ownUnsent || r.ownOverflow || r.refused ? `  (generator late ${r.ownLate}, unsent ${r.ownUnsent}, overflow ${r.ownOverflow}, refused ${r.refused})` : "") + (r.errors ? `  ${r.errors.length} bots failed` : ""));
}

if (verb === "good") process.exit(goodRun(JSON.parse(readFileSync(0, "utf8"))) ? 0 : 1);

if (verb === "table") {
	const [floor, video, audio, cold, steps, all] = ["floor", "video", "audio", "cold", "steps", "all"].map((n) => runs(`${what}/${n}`));
	const row = (name, goal, list, f, unit) => {
		if (!list.length) return;
		const v = list.map(f);
		console.log(`| ${name.padEnd(58)} | ${goal.padEnd(14)} | ${(median(v).toFixed(2) + " " + unit).padEnd(13)} | ${Math.min(...v).toFixed(2)} to ${Math.max(...v).toFixed(2)}, ${v.length} runs |`);
	};
	console.log("| figure | goal | median | least to most |\n| --- | --- | --- | --- |");
	row("processor a relayed packet, 30 calls sound and pictures", "≤ 10, better 6", video, (r) => r.cpuMicrosPerPacket, "µs");
	row("receiving, opening, sealing, sending alone (the floor)", "", floor, (r) => r.micros, "µs");
	const pairs = video.slice(0, floor.length).map((r, i) => ({ ratio: r.cpuMicrosPerPacket / floor[i].micros })); // each with the floor just before it
	row("processor a relayed packet, in floors of this machine", "", pairs, (r) => r.ratio, "times");
	row("processor a relayed packet, 60 calls sound only", "≤ 20", audio, (r) => r.cpuMicrosPerPacket, "µs");
	row("latency p99, 30 calls sound and pictures", "≤ 2", video, (r) => r.latency.p99, "ms");
	row("latency p50, 30 calls sound and pictures", "", video, (r) => r.latency.p50, "ms");
	row("memory a call, 30 calls sound and pictures", "≤ 1", video, perCall, "MiB");
	row("memory a call when they have ended", "", video, (r) => (r.residentMiBAfter - r.residentMiBBefore) / r.calls, "MiB");
	row("tap to sound both ways p95, warm", "≤ 20", video, (r) => r.setUpSound.p95, "ms");
	row("tap to sound and pictures both ways p95, warm", "≤ 20", video, (r) => r.setUp.p95, "ms");
	row("of it p95: until it rings, warm", "", video, (r) => r.stages.tapToRinging.p95, "ms");
	row("of it p95: from the answer to its confirmation, warm", "", video, (r) => r.stages.answerToConfirmed.p95, "ms");
	row("of it p95: a first packet from its sending on, warm", "", video, (r) => r.stages.firstSentToThere.p95, "ms");
	row("tap to sound and pictures both ways p95, cold", "≤ 100", cold, (r) => r.setUp.p95, "ms");
	row("share of a core that the generator needs for it", "well below 100", video, (r) => 100 * r.ownCpuShare, "%");
	const best = steps.filter(goodRun).map((r) => r.calls);
	const top = steps.at(-1);
	if (top) {
		console.log(`| ${"calls a core (p99 < 50 ms, loss < 0.5 %)".padEnd(58)} | ${"≥ 250".padEnd(14)} | ${String(Math.max(0, ...best)).padEnd(13)} | tried ${steps.map((r) => r.calls).join(", ")}; at ${top.calls}: gateway ${(100 * top.cpuShare).toFixed(0)} %, generator ${(100 * top.ownCpuShare).toFixed(0)} % of a core, p99 ${top.latency.p99.toFixed(1)} ms, lost ${(100 * top.loss).toFixed(2)} % |`);
	}
	const loads = all.map((r) => Number(r.load)).filter((n) => !Number.isNaN(n));
	if (loads.length) console.log(`load of the machine before the runs: ${Math.min(...loads)} to ${Math.max(...loads)}, of which the run before is a part`);
}

if (verb === "archives") {
	const reports = readFileSync(0, "utf8").split(/^}$/m).filter((s) => s.trim()).map((s) => JSON.parse(s + "}"));
	const sealed = reports.filter((r) => r.sealed);
	const ahead = sealed.map((r) => Date.parse(r.manifest.answered) - Date.parse(r.manifest.opened) - Math.min(...r.manifest.streams.filter((s) => s.role === "caller" && s.packets).map((s) => s.first_ms)));
	const bad = reports.filter((r) => r.exit & ~2).length;
	const streams = sealed.flatMap((r) => r.manifest.streams);
	const sum = (f) => streams.reduce((n, s) => n + f(s), 0);
	console.log(`${reports.length} archives, ${sealed.length} sealed: the first packet was recorded ${Math.min(...ahead)} to ${Math.max(...ahead)} ms before the answer; ${sum((s) => s.packets)} packets in them, ${sum((s) => s.lost)} lost; ${bad} archives do not verify`);
}
