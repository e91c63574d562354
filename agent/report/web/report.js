/* The HTML report: the same as the dashboard, of the report that is in the page. What stood there for readers without scripts is replaced. */
(() => {
	const {summary, report} = JSON.parse(document.getElementById("report").textContent), place = document.getElementById("view");
	let width = 0;
	const draw = () => {
		if (width === document.documentElement.clientWidth) return;
		width = document.documentElement.clientWidth;
		showSections(place, serviceView(report.service.name, summary, report, []));
	};
	draw();
	addEventListener("resize", draw);
	addEventListener("beforeprint", () => place.querySelectorAll("details").forEach(d => { d.open = true; }));
})();
