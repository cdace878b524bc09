internal import NIOCore
internal import NIOHTTPTypes

/// Closes connections of clients that send a body too slowly, or take nothing of an answer: each
/// holds memory and one of the connections that there are.
///
/// Time in which the server itself does not ask for more of a body counts for nobody. A head that
/// does not come is the concern of the idle time-out of the server.
final class SlowClientCutter: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart

    /// Bytes a second of a body, at least.
    static let leastRate: Int64 = 1024
    private let idle: TimeAmount
    private let stall: TimeAmount

    private var isReading = false
    private var count: Int64 = 0
    /// When the last part was delivered after which nothing was asked for yet.
    private var delivered: NIODeadline?
    /// Time of the window in which the server did not ask.
    private var own = TimeAmount.zero
    private var windowEnd: Scheduled<Void>?
    private var stallEnd: Scheduled<Void>?
    private var lastEnd: Scheduled<Void>?
    private static let beat = TimeAmount.seconds(1)
    private static let mostBeats = 30

    init(idle: TimeAmount, stall: TimeAmount) {
        self.idle = idle
        self.stall = stall
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            isReading = true
            beginWindow(context)
        case .body(let buffer):
            count += Int64(buffer.readableBytes)
            delivered = delivered ?? .now()
        case .end:
            isReading = false
            windowEnd?.cancel()
            windowEnd = nil
        }
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        if let delivered { own = own + (.now() - delivered) }
        delivered = nil
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stallEnd?.cancel()
        stallEnd = nil
        if !context.channel.isWritable {
            stallEnd = context.eventLoop.assumeIsolated().scheduleTask(in: stall) {
                context.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    /// The master ends. Followers are told so and come back, downloads may take a while, and who
    /// takes nothing is not waited for.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { leave(context, beats: Self.mostBeats) }
        context.fireUserInboundEventTriggered(event)
    }

    private func leave(_ context: ChannelHandlerContext, beats: Int) {
        let wasWritable = context.channel.isWritable
        lastEnd = context.eventLoop.assumeIsolated().scheduleTask(in: Self.beat) {
            let isStalled = !wasWritable && !context.channel.isWritable
            if isStalled || beats == 0 { return context.close(promise: nil) }
            self.leave(context, beats: beats - 1)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func beginWindow(_ context: ChannelHandlerContext) {
        windowEnd?.cancel()
        count = 0
        own = .zero
        delivered = delivered.map { _ in .now() }
        windowEnd = context.eventLoop.assumeIsolated().scheduleTask(in: idle) {
            self.judge(context)
        }
    }

    private func judge(_ context: ChannelHandlerContext) {
        windowEnd = nil
        guard isReading else { return }
        if let delivered { own = own + (.now() - delivered) }
        let theirs = idle - own
        let isTheirs = theirs.nanoseconds >= idle.nanoseconds / 2
        let least = Self.leastRate * (theirs.nanoseconds / 1_000_000) / 1000
        if isTheirs, count < least { return context.close(promise: nil) }
        beginWindow(context)
    }

    private func end() {
        windowEnd?.cancel()
        stallEnd?.cancel()
        lastEnd?.cancel()
        (windowEnd, stallEnd, lastEnd) = (nil, nil, nil)
    }
}
