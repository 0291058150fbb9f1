import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

// The floors: lib ← ui ← app ← pages. A floor imports what lies below it, never
// what lies above; ui gets data and callbacks and never asks the server itself.
const up = (...floors) => ({
  "no-restricted-imports": [
    "error",
    { patterns: [{ group: floors.map((f) => `**/${f}/**`), message: "Imports go down only: lib ← ui ← app ← pages (ui never imports api)." }] },
  ],
});

export default tseslint.config(
  { ignores: ["dist/**", "node_modules/**", "e2e/**", "**/*.gen.ts", "*.config.*", "*.mjs"] },
  ...tseslint.configs.strictTypeChecked,
  hooks.configs.flat["recommended-latest"],
  {
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      "max-lines": ["error", { max: 300 }],
      "no-restricted-syntax": [
        "error",
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Everything from endpoints is text." },
        { selector: "MemberExpression[property.name='innerHTML']", message: "Everything from endpoints is text." },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/only-throw-error": "off",
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
    },
  },
  { files: ["src/lib/**"], rules: up("ui", "app", "pages", "api") },
  { files: ["src/ui/**"], rules: up("app", "pages", "api") },
  { files: ["src/api/**"], rules: up("ui", "app", "pages") },
  { files: ["src/app/**"], rules: up("pages") },
  {
    files: ["src/pages/**"],
    rules: {
      "no-restricted-imports": ["error", { patterns: [{ regex: "^\\.\\./(?!\\.\\./)[a-z]", message: "Pages never import other pages." }] }],
    },
  },
);
