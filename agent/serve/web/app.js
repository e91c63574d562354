"use strict";
/* The dashboard: one list of services, one page for each. All text goes through textContent: nothing that a service named can become markup. */

const view = document.getElementById("view");
const live = document.getElementById("live");
let token = sessionStorage.getItem("gapscope-token");

/* -- building the page -- */

function el(name, attributes = {}, ...children) {
	const svg = ["svg", "line", "rect", "circle", "text", "title", "g", "path"].includes(name);
	const e = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
	for (const [key, value] of Object.entries(attributes))
		if (value !== undefined && value !== null) e.setAttribute(key, value);
	for (const c of children.flat(Infinity))
		if (c !== null && c !== undefined) e.append(c);
	return e;
}

const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
const seconds = s => s >= 10 ? `${Math.round(s)} s` : s >= 1 ? `${s.toFixed(1)} s` : `${Math.round(s * 1000)} ms`;
const order = ["critical", "error", "warning", "info"];

function table(caption, heads, rows) {
	if (!rows.length) return null;
	return el("section", {}, el("h2", {}, caption),
		el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption},
			el("table", {}, el("thead", {}, el("tr", {}, heads.map(h => el("th", {scope: "col"}, h)))),
				el("tbody", {}, rows.map(r => el("tr", {}, r.map(c => el("td", {}, c))))))));
}

/* -- asking -- */

async function ask(path) {
	const answer = await fetch(path, {headers: token ? {Authorization: `Bearer ${token}`} : {}});
	if (answer.status === 401) throw Object.assign(new Error("a token is needed"), {login: true});
	if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || `status ${answer.status}`);
	return answer;
}

function login() {
	const form = document.getElementById("login");
	form.hidden = false;
	view.replaceChildren();
	document.getElementById("login-error").textContent = token ? "This token is not the right one." : "";
	form.onsubmit = event => {
		event.preventDefault();
		token = document.getElementById("token").value;
		sessionStorage.setItem("gapscope-token", token);
		form.hidden = true;
		show();
		follow();
	};
	document.getElementById("token").focus();
}

/* -- the list -- */

function areas(score) {
	return el("div", {class: "areas"}, Object.entries(score.areas).flatMap(([name, a]) => [el("span", {}, name),
		a.score === null ? el("span", {class: "dim"}, "not exercised") : el("meter", {min: 0, max: 100, low: 50, high: 80, optimum: 100, value: a.score, "aria-label": `${name} ${a.score}`}),
		el("span", {}, a.score === null ? "" : String(Math.round(a.score)))]));
}

function counts(findings) {
	const parts = order.filter(s => findings[s]).map(s => el("span", {class: `sev ${s}`}, `${findings[s]} ${s} `));
	return parts.length ? el("p", {}, parts) : el("p", {class: "good"}, "no findings");
}

function card(s) {
	return el("li", {class: "card"}, el("h3", {}, el("a", {href: `#service/${encodeURIComponent(s.name)}`}, s.name)),
		el("p", {class: "dim"}, `${s.state}, ${s.target}, ${s.tier}${s.why ? `: ${s.why}` : ""}`),
		s.score && s.score.score !== null ? [el("p", {class: "score"}, String(Math.round(s.score.score)), el("span", {class: "dim"}, " / 100")), areas(s.score), counts(s.findings)]
			: el("p", {}, "nothing seen yet"));
}

async function showList() {
	const {services} = await (await ask("api/v1/services")).json();
	document.title = "gapscope";
	view.replaceChildren(el("h2", {}, plural(services.length, "service")),
		services.length ? el("ul", {class: "cards"}, services.map(card)) : el("p", {}, "No service is to be watched: add one to the configuration."));
}

/* -- pictures -- */

/* Attempts over time: a dot for each, and how long it was until the next. */
function retryPicture(evidence) {
	const gaps = (evidence && evidence.gaps_s) || [];
	if (!Array.isArray(gaps) || !gaps.length) return null;
	const total = gaps.reduce((a, b) => a + b, 0) || 1, width = 640;
	let at = 0;
	const dots = [0, ...gaps].map((gap, i) => {
		at += gap;
		return el("circle", {cx: 10 + (at / total) * (width - 20), cy: 20, r: 5, class: "mark"}, el("title", {}, `attempt ${i + 1} at ${seconds(at)}`));
	});
	return el("svg", {viewBox: `0 0 ${width} 44`, role: "img", "aria-label": `${gaps.length + 1} attempts in ${seconds(total)}`},
		el("line", {x1: 10, y1: 20, x2: width - 10, y2: 20, class: "axis"}), dots,
		el("text", {x: 10, y: 42}, "0"), el("text", {x: width - 10, y: 42, "text-anchor": "end"}, seconds(total)));
}

/* A wait that nothing bounds: as long as it lasted, and open at its end. */
function waitPicture(f) {
	const longest = f.evidence && f.evidence.longest_wait_s;
	if (!f.rule.startsWith("deadline.") || typeof longest !== "number") return null;
	return el("svg", {viewBox: "0 0 640 44", role: "img", "aria-label": `longest wait ${seconds(longest)}, no bound`},
		el("rect", {x: 10, y: 12, width: 420, height: 14, class: "wait"}), el("path", {d: "M430 8 l0 22 M440 8 l24 11 l-24 11 z", class: "wait"}),
		el("text", {x: 10, y: 42}, `waited ${seconds(longest)}`), el("text", {x: 472, y: 24}, "and no bound"));
}

function histogram(row) {
	const d = row.duration_us || [], bins = 24, width = 320, height = 70;
	if (d.length < 2) return el("span", {class: "dim"}, "too few");
	const low = Math.log(Math.max(d[0], 1)), high = Math.log(Math.max(d[d.length - 1], 2)), n = new Array(bins).fill(0);
	for (const x of d) n[Math.min(bins - 1, Math.floor((Math.log(Math.max(x, 1)) - low) / ((high - low) || 1) * bins))]++;
	const most = Math.max(...n);
	return el("svg", {viewBox: `0 0 ${width} ${height + 16}`, width, role: "img", "aria-label": `median ${seconds(d[d.length >> 1] / 1e6)}, slowest ${seconds(d[d.length - 1] / 1e6)}`},
		n.map((c, i) => el("rect", {x: i * width / bins, y: height - c / most * height, width: width / bins - 1, height: c / most * height, class: "ok"})),
		el("text", {x: 0, y: height + 14}, seconds(d[0] / 1e6)), el("text", {x: width, y: height + 14, "text-anchor": "end"}, seconds(d[d.length - 1] / 1e6)));
}

function dependencyMap(name, report) {
	const peers = [...new Set([...report.deadlines, ...report.retries].map(d => d.peer).filter(Boolean))].slice(0, 12);
	const bad = new Set(report.findings.filter(f => f.severity !== "info").map(f => f.peer));
	const height = Math.max(peers.length, 1) * 34 + 10;
	if (!peers.length) return null;
	return el("section", {}, el("h2", {}, "Dependencies"), el("svg", {viewBox: `0 0 640 ${height}`, role: "img", "aria-label": `${name} uses ${peers.join(", ")}`},
		peers.map((p, i) => [el("line", {x1: 200, y1: height / 2, x2: 330, y2: 22 + i * 34, class: bad.has(p) ? "edge bad" : "edge"}),
			el("rect", {x: 330, y: 8 + i * 34, width: 300, height: 28, rx: 4, class: "node"}), el("text", {x: 340, y: 27 + i * 34}, p)]),
		el("rect", {x: 10, y: height / 2 - 15, width: 190, height: 30, rx: 4, class: "node"}), el("text", {x: 20, y: height / 2 + 5}, name)));
}

/* -- one service -- */

function evidenceText(evidence) {
	return Object.entries(evidence || {}).map(([k, v]) => `${k} ${Array.isArray(v) ? v.join(", ") : v}`).join("; ");
}

function finding(f) {
	const rows = [["what", f.message], ["peer", f.peer], ["operation", f.operation], ["sink", f.sink], ["where", f.call_site && f.call_site.text],
		["seen", `${plural(f.count, "time")}, ${f.first_seen} to ${f.last_seen}`], ["evidence", evidenceText(f.evidence)], ["remedy", f.remedy], ["id", f.fingerprint]];
	const stack = (f.call_site && f.call_site.stack) || [];
	return el("article", {class: `finding ${f.severity}`}, el("h3", {}, el("span", {class: `sev ${f.severity}`}, f.severity), ` ${f.rule} `, el("span", {class: "dim"}, f.confidence)),
		el("dl", {}, rows.filter(r => r[1]).map(([k, v]) => [el("dt", {}, k), el("dd", {}, v)])),
		f.rule.startsWith("retry.") ? retryPicture(f.evidence) : waitPicture(f),
		stack.length ? el("details", {}, el("summary", {}, "stack"), el("pre", {}, stack.join("\n"))) : null);
}

function bound(b) {
	return !b ? "" : b.bound === "finite" ? seconds(b.seconds) : b.bound === "kernel" ? "the kernel's" : b.bound;
}

function scoreSection(score) {
	if (!score || score.score === null) return null;
	const lost = Object.entries(score.areas).flatMap(([area, a]) => a.lost.map(l => [area, l.rule, `−${l.points}`, `${l.severity_points} × ${l.confidence_share} × ${l.tier_weight} ÷ ${l.nth_of_rule}`, l.where]));
	return el("section", {}, el("h2", {}, "Readiness"), el("p", {class: "score"}, String(Math.round(score.score)), el("span", {class: "dim"}, " / 100")), areas(score),
		score.first.length ? [el("h2", {}, "Mend first"), el("ol", {}, score.first.map(l => el("li", {}, el("strong", {}, l.rule), l.where ? ` at ${l.where}` : "", `: ${l.remedy}`)))] : null,
		lost.length ? el("details", {}, el("summary", {}, "How the score came about"), table("Points", ["area", "rule", "points", "severity × confidence × tier ÷ n-th", "where"], lost)) : null);
}

async function showService(name) {
	const [{summary, report}, past] = await Promise.all([ask(`api/v1/services/${encodeURIComponent(name)}`).then(a => a.json()),
		ask(`api/v1/history?service=${encodeURIComponent(name)}`).then(a => a.json()).catch(() => ({sessions: []}))]);
	const open = new Set([...view.querySelectorAll("details[open] > summary")].map(s => s.textContent + s.closest("article, section")?.textContent.slice(0, 80)));
	document.title = `${name}: gapscope`;
	if (!report) {
		view.replaceChildren(el("h2", {}, name), el("p", {}, `${summary.state}: ${summary.why || "nothing seen yet"}`));
		return;
	}
	view.replaceChildren(...[el("h2", {}, name), el("p", {class: "dim"}, [summary.state, report.service.exe, `${report.service.client_requests} client and ${report.service.server_requests} server requests`, `${report.service.start} to ${report.service.end}`].filter(Boolean).join("; ")),
		scoreSection(summary.score),
		el("section", {}, el("h2", {}, plural(report.findings.length, "finding")), report.findings.map(finding)),
		dependencyMap(name, report),
		table("Traffic", ["direction", "operation", "peer", "requests", "failed", "duration"], (report.traffic || []).map(r => [r.direction, r.operation, r.peer, String(r.requests), String(r.errors), histogram(r)])),
		table("Deadlines of each dependency", ["peer", "protocol", "connect", "response", "body", "total", "verdict"], report.deadlines.map(d => [d.peer, d.protocol, bound(d.phase.connect), bound(d.phase.response), bound(d.phase.body), bound(d.phase.total), d.verdict])),
		table("Retries", ["peer", "operation", "class", "at most", "back-off", "jitter"], report.retries.map(r => [r.peer, r.operation, r.class, String(r.max_attempts), r.backoff, r.jitter])),
		el("section", {}, el("h2", {}, "What this cannot speak of"), el("ul", {}, el("li", {}, `records read ${report.loss.published}, lost ${report.loss.lost}`),
			el("li", {}, `log bytes written ${report.loss.log_bytes_seen}, scanned ${report.loss.log_bytes_scanned}`), report.not_exercised.map(t => el("li", {}, `not exercised: ${t}`)))),
		table("Earlier sessions", ["from", "to", "score", "findings", "requests"], past.sessions.map(s => [s.start, s.end, s.score === null ? "" : String(s.score), String(s.findings), String(s.requests)]))].filter(Boolean));
	for (const s of view.querySelectorAll("details > summary"))
		if (open.has(s.textContent + s.closest("article, section")?.textContent.slice(0, 80))) s.parentElement.open = true;
}

/* -- life -- */

async function show() {
	const [kind, name] = location.hash.slice(1).split("/");
	try {
		await (kind === "service" ? showService(decodeURIComponent(name)) : showList());
	} catch (e) {
		if (e.login) return login();
		view.replaceChildren(el("p", {role: "alert"}, e.message));
	}
}

/* Changes as they come; asked for again when the connection ends. */
async function follow() {
	for (;;) {
		try {
			const reader = (await ask("api/v1/stream")).body.getReader();
			live.textContent = "live";
			while (!(await reader.read()).done) await show();
		} catch (e) {
			if (e.login) return;
		}
		live.textContent = "not connected; trying again";
		await new Promise(done => setTimeout(done, 2000 + Math.random() * 1000));
	}
}

window.addEventListener("hashchange", async () => {
	await show();
	document.getElementById("main").focus();
	window.scrollTo(0, 0);
});
show();
follow();
