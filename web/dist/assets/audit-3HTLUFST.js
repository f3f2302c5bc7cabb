import{g as t}from"./chunk-RLH3V6A7.js";function n({parts:i}){return t("h1",{children:i.join("/")||"audit"})}export{n as Audit};
