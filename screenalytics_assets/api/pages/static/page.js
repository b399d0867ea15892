// Live progress: the page is whole without it, and is made anew once the run has ended.
(() => {
  "use strict";
  const head = document.querySelector("header.run");
  const address = head && head.dataset.events;
  if (!address) return;
  const message = document.getElementById("message");
  const state = document.getElementById("state");
  const words = { not_started: "waiting", success: "done" };

  function show(name, stage) {
    const row = document.querySelector(`[data-stage="${CSS.escape(name)}"]`);
    if (!row) return;
    row.className = stage.status;
    const bar = row.querySelector("progress");
    if (stage.status === "success") bar.value = 100;
    else if (stage.pct !== null) bar.value = stage.pct;
    row.querySelector(".word").textContent = words[stage.status] || stage.status;
    if (stage.message || stage.error)
      row.querySelector(".note").textContent = stage.error || stage.message;
  }

  const seen = { queued: "not_started", running: "running", completed: "success", failed: "failed" };
  const source = new EventSource(address);
  source.addEventListener("snapshot", (event) => {
    const told = JSON.parse(event.data);
    if (told.state) { state.textContent = told.state; state.className = `state ${told.state}`; }
    for (const [name, stage] of Object.entries(told.stages)) show(name, stage);
    message.textContent = told.message;
  });
  source.addEventListener("progress", (event) => {
    const told = JSON.parse(event.data);
    if (told.agent !== "pipeline")
      show(told.agent, { ...told, pct: told.stage_pct, status: seen[told.status] || told.status });
    else if (told.status === "running" && state.textContent === "queued") {
      state.textContent = "running"; state.className = "state running";
    }
    // A screen reader hears what begins and ends, not every percent.
    if (told.agent === "pipeline" || told.status !== "running" || !told.done)
      message.textContent = `${told.agent.replace(/_/g, " ")}: ${told.message}`;
  });
  source.addEventListener("end", (event) => {
    source.close();
    const half = [...document.querySelectorAll("input[name=name]:not([type=hidden])")];
    // What somebody is writing is not thrown away.
    if (!half.some((field) => field.value !== field.defaultValue)) location.reload();
    state.textContent = JSON.parse(event.data).state;
    message.textContent = "The run has ended: reload the page to see what came of it.";
  });
})();
