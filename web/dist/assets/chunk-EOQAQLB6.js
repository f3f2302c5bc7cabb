import{i as r}from"./chunk-Q2R32EF5.js";async function t(e,l,o){e.value=null,l.value=!0;try{return(await o).body}catch(a){return e.value=r(a),null}finally{l.value=!1}}export{t as a};
