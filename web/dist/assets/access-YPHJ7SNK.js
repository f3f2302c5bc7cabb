import{g as s}from"./chunk-RLH3V6A7.js";function n({parts:c}){return s("h1",{children:c.join("/")||"access"})}export{n as Access};
