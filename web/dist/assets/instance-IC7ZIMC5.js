import{g as n}from"./chunk-RLH3V6A7.js";function i({parts:t}){return n("h1",{children:t.join("/")||"instance"})}export{i as Instance};
