/// <reference types="vitepress/client" />
/**
 * The default theme with the fonts of the reader's system: none is loaded.
 */
import Theme from "vitepress/theme-without-fonts"
import "./site.css"

export default Theme
