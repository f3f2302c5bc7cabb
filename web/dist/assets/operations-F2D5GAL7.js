import{g as n}from"./chunk-RLH3V6A7.js";function r({parts:o}){return n("h1",{children:o.join("/")||"operations"})}export{r as Operations};
