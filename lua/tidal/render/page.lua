-- What every page holds: its head, its style, and the script of the slider.
local colours = require "tidal.render.colours"

local M = {}

-- The policy lets a page load nothing, whatever stands in it.
M.HEAD = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';]]
.. [[ style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}
</style>
</head>]]

local FORM <const> = [[
:root{--paper:%s;--ink:%s;--dim:%s;--line:%s;--warn:%s;--track:%s}]]

local function variables(of)
  return FORM:format(of.paper, of.ink, of.dim, of.line, of.warn, of.track)
end

local LOOK <const> = [[
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);line-height:1.45;
font-family:system-ui,sans-serif;font-size:15px}
main{max-width:1240px;margin:0 auto;padding:20px 16px 40px}
h1{font-size:24px;margin:0 0 6px}h2{font-size:17px;margin:0 0 6px}
ul{list-style:none;margin:0 0 8px;padding:0}
li{overflow-wrap:anywhere}
.warnings li{white-space:pre-line}
.facts,.quiet{color:var(--dim)}.quiet{font-size:13px}
.warnings{color:var(--warn);font-weight:600;
border-left:4px solid var(--warn);padding-left:10px}
.defs{position:absolute}
.controls{display:none;flex-wrap:wrap;align-items:center;gap:8px 10px;
position:sticky;top:0;z-index:1;background:var(--paper);padding:8px 0;
border-bottom:1px solid var(--track)}
.js .controls{display:flex}.js .caption{display:none}
.controls input{flex:1 1 160px;max-width:420px;min-width:120px;height:32px;
accent-color:var(--ink)}
.controls output{flex:1 1 100%;min-height:2.9em;font-size:14px;
overflow-wrap:anywhere}
button{font:inherit;min-width:40px;min-height:36px;color:var(--ink);
background:var(--track);border:1px solid var(--line);border-radius:6px}
:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
.caption{font-weight:600;margin:14px 0 0;overflow-wrap:anywhere}
.figures{display:flex;flex-wrap:wrap;align-items:center;
gap:8px 20px;margin:10px 0}
.figures>.ring{flex:0 1 440px;width:100%;height:auto}
.figures>.scroll{flex:1 1 400px;min-width:0;max-width:100%}
.scroll{overflow-x:auto}
.grid{display:block;width:100%;height:auto}
.sheets{display:flex;flex-wrap:wrap;gap:24px 40px;margin-top:20px}
.sheet{min-width:0;max-width:100%}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th{text-align:left;color:var(--dim);font-weight:600}
th,td{padding:3px 18px 3px 0;border-bottom:1px solid var(--track);
vertical-align:top;white-space:nowrap}
td:last-child{white-space:normal}
th.right,td.right{text-align:right}
@media print{body{font-size:11pt}.js .caption{display:block}
.js .controls{display:none}
.frame.end{display:block!important}.frame,.sheet{break-inside:avoid}
.edge,.thin,.heat,.follow,.mixed{print-color-adjust:exact;
-webkit-print-color-adjust:exact}
.scroll{overflow:visible}}]]

M.STYLE = table.concat({
  variables(colours.light),
  "@media screen and (prefers-color-scheme:dark){",
  variables(colours.dark), "}", LOOK,
}, "\n")

-- The step that is shown stands in the address, "#step-3", so that it can be
-- sent; arrow keys go on and back wherever they have nothing else to do.
M.SCRIPT = [[
(function () {
  "use strict";
  var slider = document.getElementById("step");
  var said = document.getElementById("said");
  var frames = Array.prototype.slice.call(
    document.querySelectorAll(".frame"));
  function step(at) { return frames[at].id.replace("frame", "step"); }
  function show(at, note) {
    at = Math.max(0, Math.min(frames.length - 1, at));
    frames.forEach(function (frame, i) { frame.hidden = i !== at; });
    var words = frames[at].getAttribute("aria-label");
    slider.value = at;
    slider.setAttribute("aria-valuetext", words);
    said.textContent = words;
    if (note) {
      try { history.replaceState(null, "", "#" + step(at)); }
      catch (refused) { /* a page in a frame has no address of its own */ }
    }
  }
  function asked() {
    for (var i = 0; i < frames.length; i++) {
      if ("#" + step(i) === location.hash) { return i; }
    }
    return frames.length - 1;
  }
  function go(by) { show(Number(slider.value) + by, true); }
  slider.addEventListener("input", function () { go(0); });
  document.getElementById("back").addEventListener("click",
    function () { go(-1); });
  document.getElementById("on").addEventListener("click",
    function () { go(1); });
  document.addEventListener("keydown", function (event) {
    var place = event.target;
    if (place === slider || event.altKey || event.ctrlKey || event.metaKey
        || place.closest && place.closest(".scroll")) { return; }
    if (event.key === "ArrowLeft") { go(-1); }
    if (event.key === "ArrowRight") { go(1); }
  });
  window.addEventListener("hashchange", function () { show(asked(), false); });
  document.documentElement.classList.add("js");
  show(asked(), false);
})();
]]

return M
