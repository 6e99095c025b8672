#include "style.h"

/* clang-format off: one rule a line */

/* Colours that colour-blind readers tell apart (Okabe, Ito 2008), darker on white and lighter on black. */
#define LIGHT                                                                                             \
  "--ink:#1c2530;--soft:#566270;--line:#d9dfe6;--card:#fff;--back:#f6f8fa;--mark:#1f5f99;--zone:#009e73;" \
  "--c1:#0072b2;--c2:#d55e00;--c3:#00855f;--c4:#b8508f;--c5:#9a6f00;--c6:#2b8cc4;--c7:#4d4d4d;--c8:#8c564b;"
#define DARK                                                                                                 \
  "--ink:#e4e9ef;--soft:#a3afbc;--line:#37424e;--card:#1a2129;--back:#12171d;--mark:#7cb8ea;--zone:#2fbf93;" \
  "--c1:#56aee8;--c2:#f08a45;--c3:#35c496;--c4:#e08fc2;--c5:#e0b040;--c6:#9ad0f5;--c7:#b9c0c7;--c8:#cf9a8f;"

const char ad__picture_style[] =
    ":root{color-scheme:light dark;" LIGHT
    "}"
    "@media(prefers-color-scheme:dark){:root{" DARK
    "}}"
    "@media print{:root{" LIGHT
    "}}"
    ".picture text{font:12.5px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans','Liberation Sans',sans-serif;"
    "fill:var(--ink);stroke:none}"
    ".picture .name{fill:var(--soft)}"
    ".picture{--c:var(--ink)}"
    ".picture .c1{--c:var(--c1)}.picture .c2{--c:var(--c2)}.picture .c3{--c:var(--c3)}.picture .c4{--c:var(--c4)}"
    ".picture .c5{--c:var(--c5)}.picture .c6{--c:var(--c6)}.picture .c7{--c:var(--c7)}.picture .c8{--c:var(--c8)}"
    ".picture path{fill:none;stroke:none}"
    ".picture .grid{stroke:var(--line)}"
    ".picture .axis{stroke:var(--soft)}"
    ".picture .dot{fill:var(--c);fill-opacity:.5}"
    ".picture .dot:hover{fill-opacity:1;stroke:var(--ink)}"
    ".picture .hit{fill:var(--c);fill-opacity:0}"
    ".picture .hit:hover{fill-opacity:1}"
    ".picture .cross{stroke:var(--c2);stroke-width:1.6}"
    ".picture .mean{fill:var(--c);stroke:var(--card);stroke-width:1.2}"
    ".picture .range{stroke:var(--c);stroke-width:2.6}"
    ".picture .box{fill:var(--c);fill-opacity:.16;stroke:var(--c);stroke-opacity:.4}"
    ".picture .cell{fill:var(--c)}"
    ".picture .count{pointer-events:none}"
    ".picture .stroke{stroke:var(--c);stroke-width:2.2}"
    ".picture .edge{stroke:var(--soft);stroke-width:.7}"
    ".picture .zone{fill:var(--zone);fill-opacity:.13}"
    ".picture .rule{stroke:var(--soft);stroke-dasharray:5 4}"
    ".picture .line{stroke:var(--c);stroke-width:2}"
    ".picture .dashed{stroke-dasharray:7 4;stroke-width:1.4}"
    ".picture .dotted{stroke-dasharray:2 3;stroke-width:1.4}"
    ".picture .band{fill:var(--c);fill-opacity:.15}";

const char ad__page_style[] =
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--back);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans','Liberation Sans',sans-serif}"
    "main{max-width:1180px;margin:0 auto;padding:20px 20px 60px}"
    "h1{font-size:1.6rem;line-height:1.25;margin:.3em 0 .6em;overflow-wrap:anywhere}"
    "h2{font-size:1.22rem;margin:0 0 .4em}"
    "nav{font-size:.92rem;margin:1em 0 0}nav a{display:inline-block;margin:0 1.1em .2em 0}"
    "a{color:var(--mark);text-decoration:none}a:hover{text-decoration:underline}"
    "section{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:16px 20px;margin:20px 0}"
    ".top{border-left:4px solid var(--mark)}"
    ".caution,.note,.reasons,figcaption,footer{font-size:.92rem;color:var(--soft);margin:.3em 0}"
    ".caution b{font-weight:600;color:var(--ink)}"
    "p,li{overflow-wrap:anywhere}"
    /* Verdicts. */
    ".verdicts{list-style:none;margin:.2em 0 .6em;padding:0}"
    ".verdicts li{display:grid;grid-template-columns:8em 1fr;gap:0 .9em;padding:.35em 0;"
    "border-bottom:1px solid var(--line)}"
    ".verdict{align-self:start;text-align:center;font-weight:600;border-radius:5px;padding:.05em .4em;"
    "border:1.5px solid var(--soft);color:var(--soft)}"
    ".verdict.lower,.verdict.higher{border-color:var(--mark);background:var(--mark);color:var(--card)}"
    ".verdict.equivalent{border-color:var(--c3);color:var(--c3)}"
    /* Figures. */
    "figure{margin:1em 0 .4em}"
    "figure svg{display:block;width:100%;height:auto;min-width:480px}"
    /* Side by side as wide as they are drawn, so that their rows line up. */
    ".lead svg{min-width:0}"
    ".pairs{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr));gap:0 24px}"
    ".pairs figure{min-width:0}.pairs svg{min-width:400px}"
    "@media(min-width:900px){.lead{display:grid;grid-template-columns:620fr 470fr;gap:0 20px}}"
    /* Tables. Shadows at the edges of what is wider than the page: they go with the page, the covers over them with
       the content. */
    ".scroll{overflow-x:auto;margin:.8em 0 .3em;background:linear-gradient(90deg,var(--card) 30%,transparent),"
    "linear-gradient(270deg,var(--card) 30%,transparent) 100% 0,linear-gradient(90deg,#0000002e,transparent),"
    "linear-gradient(270deg,#0000002e,transparent) 100% 0;"
    "background-size:40px 100%,40px 100%,12px 100%,12px 100%;background-repeat:no-repeat;"
    "background-attachment:local,local,scroll,scroll}"
    "table{border-collapse:separate;border-spacing:0;font-size:.88rem;font-variant-numeric:tabular-nums}"
    "caption{text-align:left;font-size:1rem;font-weight:600;padding:.3em 0}"
    "caption a,.files a{font-weight:400;font-size:.88rem;margin-left:.6em}"
    "th,td{padding:.3em .55em;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}"
    "thead th{font-weight:600;color:var(--soft);border-bottom-width:2px;vertical-align:bottom;white-space:normal;"
    "line-height:1.25}"
    "thead th span{font-weight:400}"
    "th[scope=row]{font-weight:600;max-width:17em;overflow:hidden;text-overflow:ellipsis}"
    "th:first-child{text-align:left;position:sticky;left:0;background:var(--card)}"
    "td.na{color:var(--soft)}"
    "th.text,td.text{text-align:left}"
    "td.text{white-space:normal;overflow-wrap:anywhere;min-width:7em;max-width:46em}"
    "thead button{all:unset;cursor:pointer}"
    "thead button:focus-visible{outline:2px solid var(--mark)}"
    "thead th[aria-sort=ascending] button::after{content:' \\25B2'}"
    "thead th[aria-sort=descending] button::after{content:' \\25BC'}"
    "summary{cursor:pointer;color:var(--mark);font-size:.92rem}"
    ".printed{display:none}"
    "@media(max-width:640px){main{padding:12px 10px 40px}section{padding:12px}h1{font-size:1.3rem}"
    ".verdicts li{grid-template-columns:1fr}.verdict{justify-self:start}th[scope=row]{max-width:9em}}"
    /* On paper: no shades, no boxes that scroll, the first rows of long tables. */
    "@media print{html{font-size:9pt}body{background:none;font-size:1rem;line-height:1.35}"
    "main{max-width:none;padding:0}"
    "section{border:0;padding:0;margin:8px 0}.top{border:0}nav,details:not([open]),.scroll>table a{display:none}"
    ".scroll{overflow:visible;background:none}table{font-size:7pt}th,td{padding:.12em .35em}"
    "th:first-child{position:static}th[scope=row]{max-width:11em}"
    "tbody tr:nth-child(n+26){display:none}.printed{display:block}"
    "figure,tr{break-inside:avoid}h2,caption{break-after:avoid}"
    "figure svg{min-width:0;max-height:5.6cm}.lead{display:grid;grid-template-columns:620fr 470fr;gap:0 12px}"
    ".pairs{grid-template-columns:1fr 1fr}.pairs svg{min-width:0}"
    "@page{size:A4;margin:12mm}}";

/* Buttons in the heads: numbers by data-v, what has none last. */
const char ad__page_script[] =
    "for(const table of document.querySelectorAll('table'))"
    "table.querySelectorAll('thead th').forEach((head,column)=>{"
    "const button=document.createElement('button');button.append(...head.childNodes);head.append(button);"
    "head.setAttribute('aria-sort','none');"
    "button.onclick=()=>{"
    "const up=head.getAttribute('aria-sort')!=='ascending';"
    "head.parentNode.querySelectorAll('th').forEach(h=>h.setAttribute('aria-sort','none'));"
    "head.setAttribute('aria-sort',up?'ascending':'descending');"
    "const body=table.tBodies[0];"
    "const key=row=>{const cell=row.cells[column];"
    "return cell.classList.contains('na')?null:cell.dataset.v===undefined?cell.textContent:+cell.dataset.v};"
    "const compare=(a,b)=>typeof a==='string'?a.localeCompare(b,undefined,{numeric:true}):a-b;"
    "body.append(...[...body.rows].sort((p,q)=>{const a=key(p),b=key(q);"
    "return a===null||b===null?(a===null)-(b===null):up?compare(a,b):compare(b,a)}))}});";

/* clang-format on */
