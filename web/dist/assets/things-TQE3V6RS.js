import{g as n}from"./chunk-RLH3V6A7.js";function i({parts:h}){return n("h1",{children:h.join("/")||"things"})}export{i as Things};
