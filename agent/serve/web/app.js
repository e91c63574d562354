"use strict";
/* The dashboard: one list of services, one page for each, which view.js draws. */

const view = document.getElementById("view");
const live = document.getElementById("live");
let token = sessionStorage.getItem("gapscope-token");

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

const gateClass = {pass: "good", fail: "sev error", inconclusive: "sev warning"};

/* What a canary's controller would be told now. */
function gateLine(g) {
	return g ? el("p", {class: "gate"}, "gate: ", el("span", {class: gateClass[g.verdict]}, g.verdict), g.why.length ? el("span", {class: "dim"}, `, ${short(g.why[0], 120)}`) : "") : null;
}

function gateSection(g, checks) {
	return table(`Gate: ${g.verdict}`, ["check", "", "what was seen"], checks.map(c => [c.check, el("span", {class: gateClass[c.state] || "sev warning"}, c.state), c.text]));
}

function card(s) {
	return el("li", {class: "card"}, el("h3", {}, el("a", {href: `#service/${encodeURIComponent(s.name)}`}, s.name)),
		el("p", {class: "dim"}, `${s.state}, ${s.target}, ${s.tier}${s.why ? `: ${s.why}` : ""}`),
		s.score && s.score.score !== null ? [el("p", {class: "score"}, String(Math.round(s.score.score)), el("span", {class: "dim"}, " / 100")), areas(s.score), counts(s.findings)]
			: el("p", {}, "nothing seen yet"), gateLine(s.gate));
}

async function showList() {
	const {services} = await (await ask("api/v1/services")).json();
	document.title = "gapscope";
	view.replaceChildren(el("h2", {}, plural(services.length, "service")),
		services.length ? el("ul", {class: "cards"}, services.map(card)) : el("p", {}, "No service is to be watched: add one to the configuration."));
}

/* -- one service -- */

async function showService(name) {
	const [{summary, report, checks}, past] = await Promise.all([ask(`api/v1/services/${encodeURIComponent(name)}`).then(a => a.json()),
		ask(`api/v1/history?service=${encodeURIComponent(name)}`).then(a => a.json()).catch(() => ({sessions: []}))]);
	document.title = `${name}: gapscope`;
	if (!report) {
		view.replaceChildren(el("h2", {}, name), el("p", {}, `${summary.state}: ${summary.why || "nothing seen yet"}`));
		return;
	}
	const sections = serviceView(name, summary, report, past.sessions);
	/* behind its findings' counts, in front of the score */
	sections.splice(3, 0, gateLine(summary.gate));
	showSections(view, [...sections, gateSection(summary.gate, checks)].filter(Boolean));
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

let drawn = document.documentElement.clientWidth;
window.addEventListener("resize", () => {
	if (drawn !== document.documentElement.clientWidth) show();
	drawn = document.documentElement.clientWidth;
});
window.addEventListener("hashchange", async () => {
	await show();
	document.getElementById("main").focus();
	window.scrollTo(0, 0);
});
show();
follow();
