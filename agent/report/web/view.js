"use strict";
/* One service, drawn from its report: what the dashboard and the HTML report share. All text goes through textContent: nothing that a
 * service named can become markup. */

/* -- building -- */

function el(name, attributes = {}, ...children) {
	const svg = ["svg", "line", "rect", "circle", "text", "title", "g", "path", "polyline"].includes(name);
	const e = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
	for (const [key, value] of Object.entries(attributes))
		if (value !== undefined && value !== null) e.setAttribute(key, value);
	for (const c of children.flat(Infinity))
		if (c !== null && c !== undefined) e.append(c);
	return e;
}

const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
const seconds = s => s >= 10 ? `${Math.round(s)} s` : s >= 1 ? `${s.toFixed(1)} s` : s >= 0.01 || s === 0 ? `${Math.round(s * 1000)} ms` : s >= 0.001 ? `${+(s * 1000).toFixed(1)} ms` : `${Math.round(s * 1e6)} µs`;
const percent = share => `${share > 0 && share < 0.01 ? (share * 100).toFixed(2) : share < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;
const short = (text, n) => text.length > n ? `${text.slice(0, n - 1)}…` : text;
const order = ["critical", "error", "warning", "info"];
const list = x => Array.isArray(x) ? x : [];
/* Pictures are drawn as wide as they are shown, so that their letters keep their size. */
const roomFor = most => Math.max(260, Math.min(document.documentElement.clientWidth - 52, most));

function table(caption, heads, rows) {
	if (!rows.length) return null;
	return el("section", {}, el("h2", {}, caption),
		el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption},
			el("table", {}, el("thead", {}, el("tr", {}, heads.map(h => el("th", {scope: "col"}, h)))),
				el("tbody", {}, rows.map(r => el("tr", {}, r.map(c => el("td", {}, c))))))));
}

function picture(width, height, label, ...children) {
	return el("svg", {viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label}, children);
}

/* -- readiness -- */

function areas(score) {
	return el("div", {class: "areas"}, Object.entries(score.areas).flatMap(([name, a]) => [el("span", {}, name),
		a.score === null ? el("span", {class: "dim"}, "not exercised") : el("meter", {min: 0, max: 100, low: 50, high: 80, optimum: 100, value: a.score, "aria-label": `${name} ${a.score}`}),
		el("span", {}, a.score === null ? "" : String(Math.round(a.score)))]));
}

function counts(findings) {
	const parts = order.filter(s => findings[s]).flatMap((s, i) => [i ? ", " : "", el("span", {class: `sev ${s}`}, `${findings[s]} ${s}`)]);
	return parts.length ? el("p", {}, parts) : el("p", {class: "good"}, "no findings");
}

function scoreRing(score) {
	const around = 2 * Math.PI * 52, kind = score >= 80 ? "" : score >= 50 ? " middling" : " poor";
	return picture(140, 140, `readiness ${Math.round(score)} of 100`, el("circle", {cx: 70, cy: 70, r: 52, class: "ring"}),
		el("circle", {cx: 70, cy: 70, r: 52, class: `ring part${kind}`, transform: "rotate(-90 70 70)", "stroke-dasharray": `${around * score / 100} ${around}`}),
		el("text", {x: 70, y: 79, "text-anchor": "middle", class: "big"}, String(Math.round(score))), el("text", {x: 70, y: 97, "text-anchor": "middle", class: "dim"}, "of 100"));
}

function scoreSection(score) {
	if (!score || score.score === null) return null;
	const lost = Object.entries(score.areas).flatMap(([area, a]) => a.lost.map(l => [area, l.rule, `−${l.points}`, `${l.severity_points} × ${l.confidence_share} × ${l.tier_weight} ÷ ${l.nth_of_rule}`, l.where]));
	return el("section", {}, el("h2", {}, "Readiness"), el("div", {class: "readiness"}, scoreRing(score.score), areas(score),
		score.first.length ? el("div", {}, el("h3", {}, "Mend first"), el("ol", {}, score.first.map(l => el("li", {}, el("strong", {}, l.rule), l.where ? ` at ${l.where}` : "", `: ${l.remedy}`)))) : null),
		lost.length ? el("details", {}, el("summary", {}, "How the score came about"),
			el("p", {class: "dim"}, `Each area starts at 100; a finding takes off severity × confidence × weight of the tier (${score.tier}), the n-th of a rule an n-th of it. The score is the mean of the areas that were exercised.`),
			table("Points", ["area", "rule", "points", "severity × confidence × tier ÷ n-th", "where"], lost)) : null);
}

/* -- rates and latency over time -- */

function axes(width, height, left, top, most, span) {
	return [el("line", {x1: left, y1: height - 20, x2: width - 4, y2: height - 20, class: "axis"}), el("line", {x1: left, y1: 14, x2: width - 4, y2: 14, class: "axis"}),
		el("text", {x: left - 4, y: 18, "text-anchor": "end", class: "dim"}, top), el("text", {x: left - 4, y: height - 16, "text-anchor": "end", class: "dim"}, most),
		el("text", {x: left, y: height - 4, class: "dim"}, "0"), el("text", {x: width - 4, y: height - 4, "text-anchor": "end", class: "dim"}, seconds(span))];
}

function rateChart(line, step, what) {
	const n = line.requests.length, width = roomFor(520), height = 130, left = 46, wide = (width - left - 4) / n, tall = height - 34;
	const most = Math.max(...line.requests), at = (i, value) => tall * value / most;
	const total = line.requests.reduce((a, b) => a + b, 0), failed = line.errors.reduce((a, b) => a + b, 0);
	return el("figure", {}, picture(width, height, `${what} a second, at most ${(most / step).toPrecision(3)}`, axes(width, height, left, `${+(most / step).toPrecision(3)}/s`, "0", n * step),
		line.requests.map((r, i) => r ? el("g", {}, el("title", {}, `${plural(r, "request")}, ${line.errors[i]} failed`),
			el("rect", {x: left + i * wide, y: height - 20 - at(i, r), width: Math.max(wide - 1, .7), height: at(i, r - line.errors[i]), class: "ok"}),
			el("rect", {x: left + i * wide, y: height - 20 - at(i, line.errors[i]), width: Math.max(wide - 1, .7), height: at(i, line.errors[i]), class: "mark"})) : null)),
	el("figcaption", {}, `${what}: ${total}, ${failed} failed`, el("span", {class: "key k-ok"}), "well", el("span", {class: "key k-mark"}), "failed"));
}

function latencyChart(line, step, what) {
	const n = line.requests.length, width = roomFor(520), height = 130, left = 46, tall = height - 34;
	const most = Math.max(...line.p95_us.map(x => x || 0), 1), wide = (width - left - 4) / n;
	const lines = (values, kind) => {
		const runs = [[]];
		values.forEach((v, i) => v === null ? runs.push([]) : runs[runs.length - 1].push([left + (i + .5) * wide, height - 20 - tall * v / most]));
		return runs.filter(r => r.length).map(r => r.length === 1 ? el("circle", {cx: r[0][0], cy: r[0][1], r: 2, class: kind === "slow" ? "mark" : "ok"}) : el("polyline", {points: r.map(p => p.join(",")).join(" "), class: kind}));
	};
	return el("figure", {}, picture(width, height, `latency of ${what}, 95th percentile at most ${seconds(most / 1e6)}`, axes(width, height, left, seconds(most / 1e6), "0", n * step),
		lines(line.p95_us, "slow"), lines(line.p50_us, "median")),
	el("figcaption", {}, "latency", el("span", {class: "key k-median"}), "median", el("span", {class: "key k-slow"}), "95th percentile"));
}

function timelineSection(timeline) {
	if (!timeline) return null;
	const shown = [["server", "requests served"], ["client", "requests made"]].filter(([d]) => timeline[d] && timeline[d].requests.some(r => r > 0));
	if (!shown.length) return null;
	return el("section", {}, el("h2", {}, "Rates and latency"), shown.map(([d, what]) => el("div", {class: "pair"}, rateChart(timeline[d], timeline.step_s, what), latencyChart(timeline[d], timeline.step_s, what))));
}

/* -- pictures of findings -- */

/* A retry chain: a dot for each attempt, pauses to scale (never too narrow to see), and an arrow where it went on. */
function retryPicture(f) {
	const evidence = f.evidence || {}, gaps = list(evidence.gaps_s);
	if (!gaps.length) return null;
	const width = roomFor(640), attempts = evidence.max_attempts || evidence.attempts || gaps.length + 1, more = attempts - gaps.length - 1;
	const least = 22, rest = more > 0 ? 150 : 14, total = gaps.reduce((a, b) => a + b, 0), room = Math.max(width - 14 - rest - least * gaps.length, 0);
	const xs = [12];
	for (const gap of gaps) xs.push(xs[xs.length - 1] + least + (total > 0 ? room * gap / total : 0));
	const last = xs[xs.length - 1], endless = /unbounded/.test(f.rule);
	return el("figure", {}, picture(width, 56, `${attempts} attempts; pauses ${gaps.map(seconds).join(", ")}`,
		el("line", {x1: 12, y1: 26, x2: last, y2: 26, class: "gap"}),
		gaps.map((gap, i) => xs[i + 1] - xs[i] > 46 ? el("text", {x: (xs[i] + xs[i + 1]) / 2, y: 16, "text-anchor": "middle", class: "dim"}, seconds(gap)) : null),
		xs.map((x, i) => el("circle", {cx: x, cy: 26, r: 5.5, class: "mark"}, el("title", {}, `attempt ${i + 1}${i ? `, ${seconds(gaps[i - 1])} after the one before` : ""}`))),
		xs.map((x, i) => i % Math.ceil(xs.length / 12) === 0 ? el("text", {x, y: 48, "text-anchor": "middle", class: "dim"}, String(i + 1)) : null),
		more > 0 ? [el("path", {d: `M${last + 10} 26 h26 m-7 -6 l7 6 l-7 6`, class: "open"}), el("text", {x: last + 44, y: 30}, endless ? `${attempts}, and no end` : `${attempts} in all`)] : null),
	el("figcaption", {}, `the first ${xs.length} of ${plural(attempts, "attempt")}; pauses ${gaps.map(seconds).join(", ")}; back-off ${evidence.backoff || "unknown"}, jitter ${evidence.jitter || "unknown"}`));
}

/* A wait: as long as the longest one was, with the limit that it had, or open where nothing bounds it. */
function waitPicture(f) {
	const evidence = f.evidence || {}, longest = evidence.longest_wait_s;
	if (!f.rule.startsWith("deadline.") || typeof longest !== "number") return null;
	const width = roomFor(640), limit = typeof evidence.limit_s === "number" ? evidence.limit_s : null, scale = Math.max(longest, limit || 0, 0.0001), left = 12, room = width - left - (limit === null ? 150 : 60);
	const bar = Math.max(room * longest / scale, 3), ticks = [0, .25, .5, .75, 1];
	return el("figure", {}, picture(width, 58, `longest wait ${seconds(longest)}, ${limit === null ? "no bound" : `limit ${seconds(limit)}`}`,
		ticks.map(t => [el("line", {x1: left + room * t, y1: 6, x2: left + room * t, y2: 40, class: "axis"}), t === 0 || t === 1 || width > 420 ? el("text", {x: left + room * t, y: 54, "text-anchor": t === 0 ? "start" : "middle", class: "dim"}, seconds(scale * t)) : null]),
		el("rect", {x: left, y: 13, width: bar, height: 18, rx: 2, class: "wait"}),
		limit === null ? [el("path", {d: `M${left + bar + 4} 22 h34 m-7 -6 l7 6 l-7 6`, class: "open", "stroke-dasharray": "5 3"}), el("text", {x: left + bar + 46, y: 26}, "and no bound")]
			: [el("line", {x1: left + room * limit / scale, y1: 6, x2: left + room * limit / scale, y2: 40, class: "limit"}), el("text", {x: Math.min(left + room * limit / scale + 5, width - 52), y: 12}, "limit")]),
	el("figcaption", {}, `the longest of ${plural(evidence.calls || f.count, "wait")} for ${evidence.phase || "an answer"}`));
}

/* -- findings -- */

function evidenceText(evidence) {
	const value = v => v === null ? "unknown" : Array.isArray(v) ? v.map(value).join(", ") : typeof v === "object" ? Object.entries(v).map(([k, x]) => `${k} ${value(x)}`).join(", ") : v === true ? "yes" : v === false ? "no" : String(v);
	return Object.entries(evidence || {}).map(([k, v]) => `${k} ${value(v)}`).join("; ");
}

function finding(f) {
	const rows = [["peer", f.peer], ["operation", f.operation], ["sink", f.sink], ["where", f.call_site && f.call_site.text],
		["seen", `${plural(f.count, "time")}, ${f.first_seen} to ${f.last_seen}`], ["evidence", evidenceText(f.evidence)], ["remedy", f.remedy], ["id", f.fingerprint]];
	const stack = list(f.call_site && f.call_site.stack);
	return el("article", {class: `finding ${f.severity}`}, el("h3", {}, el("span", {class: `sev ${f.severity}`}, f.severity), ` ${f.rule} `, el("span", {class: "dim"}, f.confidence)),
		el("p", {}, f.message), f.rule.startsWith("retry.") ? retryPicture(f) : waitPicture(f),
		el("dl", {}, rows.filter(r => r[1]).map(([k, v]) => [el("dt", {}, k), el("dd", {}, v)])),
		stack.length ? el("details", {}, el("summary", {}, "call-site stack"), el("pre", {}, stack.join("\n"))) : null);
}

/* -- dependencies -- */

function bound(b) {
	return !b ? "" : b.bound === "finite" ? seconds(b.seconds) : b.bound === "kernel" ? "the kernel's" : b.bound;
}

/* One call, phase by phase: green has a deadline, red has none, amber the kernel's only, grey was not seen. */
function callPicture(d) {
	const names = ["connect", "response", "body"], width = 246, wide = width / 3, kinds = {finite: "ok", none: "mark", kernel: "wait"};
	return picture(width, 36, names.map(n => `${n}: ${bound(d.phase[n]) || "unknown"}`).join(", "),
		names.map((n, i) => el("g", {}, el("title", {}, d.phase[n] ? d.phase[n].evidence : "not seen"), el("rect", {x: i * wide, y: 2, width: wide, height: 12, class: `phase ${(d.phase[n] && kinds[d.phase[n].bound]) || "neutral"}`}),
			el("text", {x: i * wide + 2, y: 29}, `${n}${d.phase[n] && d.phase[n].bound === "finite" ? ` ${seconds(d.phase[n].seconds)}` : ""}`))));
}

/* Callers, the service, and what it uses, with what went over each edge. */
function dependencyMap(name, report) {
	const peers = new Map(), bad = new Set(report.findings.filter(f => f.severity !== "info").map(f => f.peer));
	const peer = p => peers.get(p) || peers.set(p, {requests: 0, errors: 0, protocols: new Set(), names: new Set()}).get(p);
	for (const d of [...list(report.deadlines), ...list(report.retries)])
		if (d.peer) peer(d.peer).protocols.add(d.protocol || "");
	for (const r of list(report.traffic))
		if (r.direction === "client" && r.peer) {
			const p = peer(r.connection || r.peer);
			p.requests += r.requests;
			p.errors += r.errors;
			p.protocols.add(r.protocol);
			p.names.add(r.peer);
		}
	const shown = [...peers].sort((a, b) => b[1].requests - a[1].requests).slice(0, 16), served = report.service.server_requests;
	if (!shown.length && !served) return null;
	const width = roomFor(760), rowHeight = 52, height = Math.max(shown.length, 1) * rowHeight + 4, middle = height / 2, callers = served > 0 && width > 560;
	const x0 = callers ? 150 : 0, boxWidth = width * (callers ? .24 : .36), x1 = x0 + boxWidth, x2 = width * (callers ? .6 : .5), letters = Math.floor((width - x2 - 16) / 7.2);
	return el("section", {}, el("h2", {}, "Dependencies"), picture(width, height, `${name} uses ${shown.map(p => p[0]).join(", ") || "nothing that was seen"}`,
		callers ? [el("line", {x1: 96, y1: middle, x2: x0, y2: middle, class: "edge"}), el("rect", {x: 1, y: middle - 20, width: 96, height: 40, rx: 4, class: "node"}), el("text", {x: 10, y: middle - 2}, "callers"), el("text", {x: 10, y: middle + 13, class: "dim"}, `${served} req.`)] : null,
		shown.map(([p, {requests, errors, protocols, names}], i) => {
			const y = i * rowHeight + rowHeight / 2, title = [p, ...[...names].filter(n => n !== p)].join(" = "), what = [[...protocols].filter(Boolean).join(", "), requests ? plural(requests, "request") : "", errors ? `${percent(errors / requests)} fail` : ""].filter(Boolean).join(" · ");
			return [el("path", {d: `M${x1} ${middle} C ${(x1 + x2) / 2} ${middle}, ${(x1 + x2) / 2} ${y}, ${x2} ${y}`, class: bad.has(p) ? "edge bad" : "edge"}),
				el("rect", {x: x2, y: y - 21, width: width - x2 - 1, height: 42, rx: 4, class: "node"}, el("title", {}, `${title}: ${what}`)), el("text", {x: x2 + 8, y: y - 3}, short(title, letters)), el("text", {x: x2 + 8, y: y + 13, class: "dim"}, short(what, letters))];
		}),
		el("rect", {x: x0 + 1, y: middle - 20, width: boxWidth, height: 40, rx: 4, class: "node"}), el("text", {x: x0 + 10, y: middle + 4}, short(name, Math.floor(boxWidth / 7.4)))),
	bad.size ? el("p", {class: "dim"}, "A red edge has a finding.") : null);
}

function histogram(row) {
	const d = list(row.duration_us), bins = 24, width = 200, height = 40;
	if (d.length < 2) return el("span", {class: "dim"}, d.length ? seconds(d[0] / 1e6) : "none ended");
	const low = Math.log(Math.max(d[0], 1)), high = Math.log(Math.max(d[d.length - 1], 2)), n = new Array(bins).fill(0);
	for (const x of d) n[Math.min(bins - 1, Math.floor((Math.log(Math.max(x, 1)) - low) / ((high - low) || 1) * bins))]++;
	const most = Math.max(...n), at = q => seconds(d[Math.min(d.length - 1, Math.floor(q * d.length))] / 1e6);
	return [picture(width, height + 15, `median ${at(.5)}, 95th percentile ${at(.95)}, slowest ${at(1)}`,
		n.map((c, i) => el("rect", {x: i * width / bins, y: height - c / most * height, width: width / bins - 1, height: c / most * height, class: "ok"})),
		el("text", {x: 0, y: height + 13, class: "dim"}, at(0)), el("text", {x: width, y: height + 13, "text-anchor": "end", class: "dim"}, at(1))), el("span", {class: "dim"}, `median ${at(.5)}, p95 ${at(.95)}`)];
}

/* -- what it cost, and what it cannot say -- */

function costSection(report) {
	const c = report.cost, length = c ? c.session_ms / 1000 : 0;
	if (!c || !length) return null;
	return el("section", {}, el("h2", {}, "What watching cost"), el("dl", {},
		el("dt", {}, "gapscope"), el("dd", {}, `${seconds(c.agent_cpu_ms / 1000)} of processor time in ${seconds(length)} (${percent(c.agent_cpu_ms / c.session_ms)} of one processor), at most ${(c.agent_memory_bytes / 1048576).toFixed(0)} MiB of memory`),
		el("dt", {}, "the service"), el("dd", {}, `${c.records} records of 64 bytes, ${+(c.records / length).toPrecision(3)} a second; ${report.loss.lost} more were lost`)));
}

function limitsSection(report) {
	const causes = Object.entries(report.loss.by_cause || {}).filter(([, n]) => n > 0).map(([cause, n]) => `${cause} ${n}`);
	return el("section", {}, el("h2", {}, "What this cannot speak of"), el("ul", {}, el("li", {}, `records read ${report.loss.published}, lost ${report.loss.lost}${causes.length ? ` (${causes.join(", ")})` : ""}`),
		report.loss.requests_unseen ? el("li", {}, `requests whose end is unknown, since what came after was not seen: ${report.loss.requests_unseen}`) : [],
		el("li", {}, `log bytes written ${report.loss.log_bytes_seen}, scanned ${report.loss.log_bytes_scanned}`), Object.entries(report.limits || {}).map(([what, n]) => el("li", {}, `a limit was reached: ${what}, ${plural(n, "time")}`)),
		report.not_exercised.map(t => el("li", {}, `not exercised: ${t}`))));
}

/* -- the whole -- */

/* The sections of one service; `past` are its earlier sessions, where they are known. */
function serviceView(name, summary, report, past) {
	const r = report, caller = c => (c && c.text) || c || "";
	return [el("h2", {class: "name"}, name),
		el("p", {class: "dim"}, [summary.state, r.service.exe, `${r.service.client_requests} requests made, ${r.service.server_requests} served`, `${r.service.start} to ${r.service.end}`].filter(Boolean).join("; ")),
		counts(summary.findings), scoreSection(summary.score), timelineSection(r.timeline),
		el("section", {}, el("h2", {}, plural(r.findings.length, "finding")), r.findings.map(finding)),
		dependencyMap(name, r),
		table("Traffic", ["direction", "operation", "peer", "requests", "failed", "duration"], list(r.traffic).map(t => [t.direction, t.operation, t.peer, String(t.requests), t.errors ? `${t.errors} (${percent(t.errors / t.requests)})` : "0", histogram(t)])),
		table("Deadlines of each dependency", ["peer", "a call, phase by phase", "in all", "verdict", "where"], r.deadlines.map(d => [d.peer, callPicture(d), bound(d.phase.total), d.verdict, caller(d.call_site)])),
		table("Retries", ["peer", "operation", "class", "at most", "back-off", "jitter", "where"], r.retries.map(t => [t.peer, t.operation, t.class, plural(t.max_attempts, "attempt"), t.backoff, t.jitter, caller(t.call_site)])),
		table("Personal data and secrets in logs", ["what", "sink", "times", "such as", "where"], list(r.data).map(d => [d.entity, d.sink, String(d.count), d.sample, caller(d.call_site)])),
		costSection(r), limitsSection(r),
		table("Earlier sessions", ["from", "to", "score", "findings", "requests"], past.map(s => [s.start, s.end, s.score === null ? "" : String(s.score), String(s.findings), String(s.requests)]))].filter(Boolean);
}

/* Put it on the page; what was unfolded stays so, and the keyboard stays where it was. */
function showSections(place, sections) {
	const stops = () => [...place.querySelectorAll("summary, [tabindex], a")], at = stops().indexOf(document.activeElement);
	const key = s => s.textContent + (s.closest("article, section")?.textContent.slice(0, 80) || "");
	const open = new Set([...place.querySelectorAll("details[open] > summary")].map(key));
	place.replaceChildren(...sections);
	for (const s of place.querySelectorAll("details > summary"))
		if (open.has(key(s))) s.parentElement.open = true;
	if (at >= 0) stops()[at]?.focus({preventScroll: true});
}
