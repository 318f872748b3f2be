const js = require('@eslint/js');
const jupyter = require('@jupyter/eslint-plugin');
const tseslint = require('typescript-eslint');

const plugin = jupyter.default ?? jupyter;

/** Every rule that the recommended set only warns of is an error here. */
const strict = plugin.configs.recommended.map(each => ({
  ...each,
  rules: Object.fromEntries(Object.keys(each.rules ?? {}).map(rule => [rule, 'error']))
}));

/** What a layer must not import; index → plugins → widgets → model → api → schema. */
function below(files, ...layers) {
  const patterns = layers.map(layer => ({
    group: [`**/${layer}`, `**/${layer}/*`],
    message: 'Imports go down only.'
  }));
  return { files, rules: { 'no-restricted-imports': ['error', { patterns }] } };
}

module.exports = [
  { ignores: ['node_modules/**', 'lib/**', '**/*.json', '!schema/*.json'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    ...js.configs.recommended,
    languageOptions: { parser: tseslint.parser, parserOptions: { project: './tsconfig.test.json' } }
  },
  ...tseslint.configs.recommended.map(each => ({ ...each, files: ['**/*.ts', '**/*.tsx'] })),
  { plugins: { jupyter: plugin } },
  ...strict,
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    rules: {
      // JupyterLab's own pattern for what belongs to a class.
      '@typescript-eslint/no-namespace': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { args: 'none', ignoreRestSiblings: true }],
      '@typescript-eslint/explicit-function-return-type': ['error', { allowExpressions: true }],
      // What activation needs at once, and what only a lazily imported module imports.
      'jupyter/prefer-lazy-imports': [
        'error',
        { ignoreImports: ['./shared', '../api', '../widgets/sidebar', '@lumino/datagrid'] }
      ],
      curly: ['error', 'all'],
      eqeqeq: 'error',
      'max-lines': ['error', 500],
      'no-console': 'error',
      'no-undef': 'off'
    }
  },
  { files: ['tests/**'], rules: { 'jupyter/require-disposable-ownership': 'off' } },
  { files: ['src/schema.ts'], rules: { 'max-lines': 'off' } },
  below(['src/api/*'], 'model', 'widgets', 'plugins'),
  below(['src/model/*'], 'widgets', 'plugins'),
  below(['src/widgets/*'], 'plugins'),
  {
    files: ['src/model/*', 'src/widgets/*', 'src/plugins/*'],
    rules: {
      'no-restricted-globals': ['error', 'fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource'],
      'no-restricted-syntax': [
        'error',
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: 'Data never becomes HTML.'
        },
        { selector: "MemberExpression[property.name='innerHTML']", message: 'Data never becomes HTML.' },
        {
          selector: "MemberExpression[object.name='ServerConnection']",
          message: 'Only src/api speaks with the server.'
        }
      ]
    }
  }
];
