"use strict";
(function () {
  const page = JSON.parse(document.getElementById("report-data").textContent);

  function expand(set) {
    return set.rows.map(function (row) {
      const datum = {};
      set.columns.forEach(function (name, i) {
        const levels = set.levels[name];
        datum[name] = levels ? levels[row[i]] : row[i];
      });
      if (datum.geometry) {
        datum.type = "Feature";
        datum.geometry = { type: "LineString", coordinates: datum.geometry };
      }
      return datum;
    });
  }

  const expanded = {};
  function rowsOf(name) {
    expanded[name] = expanded[name] || expand(page.data[name]);
    return expanded[name];
  }

  function namesIn(spec, found) {
    if (spec.data && spec.data.name) found.add(spec.data.name);
    (spec.layer || []).forEach(function (layer) { namesIn(layer, found); });
    return found;
  }

  function draw(chart) {
    const place = document.getElementById(chart.id);
    const spec = chart.spec;
    spec.datasets = {};
    namesIn(spec, new Set()).forEach(function (name) { spec.datasets[name] = rowsOf(name); });
    const options = { actions: false, renderer: "svg", ast: true, hover: false, logLevel: 1, tooltip: { theme: "light" } };
    return window.vegaEmbed(place, spec, options).then(
      function (result) {
        place.removeAttribute("data-waiting");
        return result.view;
      },
      function (error) {
        place.textContent = "This chart could not be drawn: " + error.message;
      });
  }

  const views = [];
  function show(junction) {
    views.forEach(function (view) { view.signal("junction", junction).runAsync(); });
  }

  page.charts.reduce(function (before, chart) {
    return before.then(function () { return draw(chart); }).then(function (view) {
      if (view && chart.byJunction) views.push(view);
    });
  }, Promise.resolve()).then(function () {
    const select = document.getElementById("junction");
    if (select) {
      show(Number(select.value));
      select.addEventListener("change", function () { show(Number(select.value)); });
    }
    document.documentElement.setAttribute("data-drawn", "yes");
  });
})();
