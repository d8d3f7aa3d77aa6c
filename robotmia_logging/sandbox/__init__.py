"""The sandbox: a local robotmia for development and tests, written from robotmia's API document alone.

It shares no code with the client in this package, so that each can catch the other's mistakes.
`robotmia_logging.sandbox.server` runs it: `SandboxServer` inside a test, `serve` behind the command
`robotmia-logging sandbox`; `robotmia_logging.sandbox.app.create_app` is the ASGI application itself.

It has a few limits of its own, and names them in the refusal: a request body has at most 10 MB, JSON at most
200 levels, and an event's name at most 255 characters. The last stands for everything a service may refuse
although a client did all it could know. Whatever the token, all messages are of one project.
"""
