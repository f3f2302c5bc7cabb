import{g as r}from"./chunk-RLH3V6A7.js";function e({parts:t}){return r("h1",{children:t.join("/")||"create"})}export{e as Create};
