// Model and API only: nothing here needs a document, so the plain Node environment is enough.
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  transform: { '^.+\\.[jt]sx?$': ['ts-jest', { tsconfig: 'tsconfig.test.json' }] },
  // Published as ES modules, unlike the other packages that are met here.
  transformIgnorePatterns: ['node_modules/(?!@jupyterlab/translation/)']
};
