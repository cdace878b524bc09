internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Closes a connection whose request goes on for longer than any may. The server reads what is left
/// of a body after it was refused, which for one without an end would never be over.
final class BodyCutter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart

    private let most: Int64
    private var count: Int64 = 0

    init(most: Int64) { self.most = most }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head, .end: count = 0
        case .body(let buffer):
            count += Int64(buffer.readableBytes)
            if count > most { return context.close(promise: nil) }
        }
        context.fireChannelRead(data)
    }
}
